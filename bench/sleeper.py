"""The floor of memory and wake-ups: a Python with asyncio that does nothing for an hour."""

import asyncio

if __name__ == "__main__":
    asyncio.run(asyncio.sleep(3600.0))
