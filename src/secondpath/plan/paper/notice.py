"""The notice for staff: one page, plain words, black and white."""

from secondpath.plan.paper.leaflet import Leaflet, Section
from secondpath.plan.rounding import DISCLAIMER
from secondpath.plan.study import Study


def notice_of(study: Study) -> Leaflet:
    """What you will notice, what works, what waits, what to do."""
    plan = study.plan
    pictures = {app.title for app in plan.applications if app.critical and app.title in study.sizing.drop_first}
    critical = (app.title for app in plan.applications if app.critical)
    works = tuple(f"{title} (by voice, most without pictures)" if title in pictures else title for title in critical)
    waits = tuple(title for title in study.sizing.drop_first if title not in pictures) or ("Nothing of ours",)
    call = ("Who to call",) if not plan.contact_phone else ()
    who = (f"Call {plan.contact_name or 'IT'}: {plan.contact_phone}.",) if plan.contact_phone else ()
    sections = [
        Section(
            "What you will notice",
            (
                "Pages may stop for up to a minute. Then work goes on, a little slower.",
                "Calls in progress may drop. Call back.",
                "Some programs ask you to sign in again.",
            ),
        ),
        Section("What works", (f"{', '.join(('Telephones', *works))}.",)),
        Section("What waits", (f"{', '.join(waits)}. Also guest Wi-Fi, streaming, big downloads and updates.",)),
        Section(
            "What to do",
            (
                "Nothing. The switch happens by itself.",
                "Save your work. Do not restart the modem or other boxes.",
                "Hold big uploads until the all-clear.",
                "Do not use your own phone's hotspot for client data.",
                "Card payments work. If one fails, try once more, then write it down.",
            ),
            numbered=True,
        ),
        _deadline_section(study),
        Section("Help", (*who, "Say what you tried and at what time."), blanks=call),
    ]
    return Leaflet(
        "notice",
        "If the internet fails",
        plan.name,
        "Our office has a second way to the internet. Please read this once.",
        tuple(s for s in sections if s),
        DISCLAIMER,
    )


def _deadline_section(study: Study) -> Section:
    lines = (
        "Tell the person named below at once.",
        "Try now. Write down the time and what the screen said.",
        "Wait 60 minutes. Try again. Write it down again.",
        "Do not wait for the last hour if you can file today.",
    )
    return Section("If something is due today", lines, numbered=True, blanks=("Tell",))
