"""Somebody at a desk who asks for names and uses each at once: `python names_asker.py SERVER FIRST LAST [TOS]`.

For every number it asks SERVER for n<number>.many.example, by the family of SERVER, and sends a datagram to the address
in the answer in the same moment. Printed is how many were answered.
"""

import socket
import sys

import dns.message
import dns.query
import dns.rdatatype


def main() -> None:
    server, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    six = ":" in server
    family = socket.AF_INET6 if six else socket.AF_INET
    answered = 0
    with socket.socket(family, socket.SOCK_DGRAM) as flow:
        if len(sys.argv) > 4:
            flow.setsockopt(
                *((socket.IPPROTO_IPV6, socket.IPV6_TCLASS) if six else (0, socket.IP_TOS)), int(sys.argv[4])
            )
        for number in range(first, last):
            question = dns.message.make_query(f"n{number}.many.example", "AAAA" if six else "A")
            answer = dns.query.udp(question, server, timeout=5)
            for rrset in answer.answer:
                flow.sendto(b"first", (rrset[0].address, 4000))
                answered += 1
    print(answered)


if __name__ == "__main__":
    main()
