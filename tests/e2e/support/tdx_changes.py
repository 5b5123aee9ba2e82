"""Seeded changes of TDX quotes and collateral. A case is (description, quote, bundle as JSON, time)."""

import json
import random

from support import tdx_platform as tp

STATUSES = ["UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded", "OutOfDate",
            "OutOfDateConfigurationNeeded", "Revoked"]

# ---- fields of the tests' own platform, everything signed correctly ----


def change_platform(p, rng):
    changes = set()

    def maybe(probability, what, change):
        if rng.random() < probability:
            changes.add(what)
            change()

    def put(target, member, *values):
        return lambda: target.__setitem__(member, rng.choice(values))

    tcb, qe = p["tcb_info"], p["qe_identity"]
    dates = ["2023-02-15T00:00:00Z", "2024-03-13T00:00:00Z", "2022-01-01T00:00:00Z"]
    components = lambda: rng.choice(tcb["tcbLevels"])["tcb"][rng.choice(["sgxtcbcomponents", "tdxtcbcomponents"])]  # noqa: E731
    p["version"] = rng.choice([4, 5])
    if p["version"] == 5 and rng.random() < 0.5:
        p["svn2"] = [rng.randrange(7), rng.choice([0, 1, 1, 1, 3]), rng.randrange(4)]
        changes.add("relaunch")
    maybe(0.5, "svn", put(p, "svn", [rng.randrange(7), rng.choice([0, 1, 1, 1, 2, 3]), rng.randrange(4), rng.randrange(2)]))
    maybe(0.5, "open components", lambda: [each["tcb"]["tdxtcbcomponents"].__setitem__(0, {"svn": 0}) for each in tcb["tcbLevels"]])
    maybe(0.3, "component", lambda: p["pck"]["components"].__setitem__(rng.randrange(16), rng.randrange(4)))
    maybe(0.2, "pce svn", put(p["pck"], "pcesvn", 4, 5, 10, 11, 12, 300))
    for each in tcb["tcbLevels"]:
        maybe(0.4, "platform status", put(each, "tcbStatus", *STATUSES))
        maybe(0.2, "platform date", put(each, "tcbDate", *dates))
        maybe(0.2, "level svn", lambda: components().__setitem__(rng.randrange(16), {"svn": rng.randrange(4)}))
    for each in [one for module in tcb["tdxModuleIdentities"] for one in module["tcbLevels"]] + qe["tcbLevels"]:
        maybe(0.2, "component status", put(each, "tcbStatus", "UpToDate", "OutOfDate", "Revoked"))
    maybe(0.2, "qe svn", lambda: p["qe"].__setitem__("svn", rng.randrange(6)))
    maybe(0.04, "levels reversed", tcb["tcbLevels"].reverse)
    maybe(0.03, "levels reversed", qe["tcbLevels"].reverse)
    maybe(0.03, "no module identities", lambda: tcb.pop("tdxModuleIdentities"))
    maybe(0.03, "qe product", put(p["qe"], "prod", 1))
    maybe(0.03, "qe signer", put(p["qe"], "mr_signer", "de" * 32))
    maybe(0.03, "qe options", put(p["qe"], "misc_select", 1))
    maybe(0.03, "qe options expected", put(qe, "miscselect", "01000000", "00000001"))
    maybe(0.04, "qe attributes", put(p["qe"], "attributes", *(first + "00000000000000e700000000000001" for first in ("11", "13", "15"))))
    maybe(0.03, "fmspc", put(tcb, "fmspc", "b0c06f000000", "b0c06f000001"))
    maybe(0.03, "pce id", put(tcb, "pceId", "0001", "00"))
    maybe(0.03, "module signer", put(p, "mr_signer_seam", "01" + "00" * 47))
    maybe(0.03, "module attributes", put(p, "seam_attributes", "0100000000000000", "0000000000000080"))
    maybe(0.04, "debug", put(p, "td_attributes", "0100001000000000", "0200001000000000", "8000001000000000"))
    maybe(0.04, "attributes", put(p, "td_attributes", "0" * 16, "0000003000000000", "0001001000000000", "0000001000000080"))
    maybe(0.03, "tcb info of", put(tcb, "id", "SGX", "tdx"))
    maybe(0.03, "qe identity of", put(qe, "id", "QE", "QVE", "td_qe"))
    maybe(0.03, "tcb info version", put(tcb, "version", 2, 4))
    maybe(0.03, "qe identity version", put(qe, "version", 1, 3))
    maybe(0.02, "tcb type", put(tcb, "tcbType", 1))
    maybe(0.03, "evaluation", put(qe, "tcbEvaluationDataNumber", 16, 18))
    maybe(0.03, "component too few", lambda: components().pop())
    maybe(0.02, "component too many", lambda: components().append({"svn": 0}))
    maybe(0.02, "unknown status", lambda: rng.choice(tcb["tcbLevels"]).__setitem__("tcbStatus", "Fine"))
    maybe(0.02, "odd date", lambda: rng.choice(tcb["tcbLevels"]).__setitem__("tcbDate", "2024-03-13"))

    def window():
        begin = tp.NOW + rng.choice([-100, 0, 1])
        end = max(begin + 1, tp.NOW + rng.choice([0, 1, 100]))
        part = rng.choice(["tcb_info", "qe_identity", "root_crl", "pck_crl", "leaf_window"])
        if part == "leaf_window":
            p[part] = [begin, end]
        elif part in ("root_crl", "pck_crl"):
            p[part]["window"] = [begin, end]
        else:
            p[part]["issueDate"], p[part]["nextUpdate"] = tp.text_time(begin), tp.text_time(end)

    maybe(0.15, "window", window)
    maybe(0.05, "revoked", lambda: p["pck_crl"]["serials"].extend(rng.sample([tp.SERIALS["leaf"], 77, 78], 2)))
    maybe(0.05, "authority revoked", lambda: p["root_crl"]["serials"].extend(rng.sample([*tp.SERIALS.values(), 77], 1)))

    def named_certificate():
        p["certification_type"] = rng.choice([1, 2, 3])
        if rng.random() < 0.4:
            changes.add("another certificate named")
            name = bytearray(tp.certification_data(p))
            kind = rng.randrange(3)
            if kind == 0 and p["certification_type"] == 1:
                name[rng.randrange(16)] ^= 1
            elif kind == 1:
                name.append(0)
            else:
                name[-1 - rng.randrange(20)] ^= 1
            p["certification_data"] = bytes(name)

    maybe(0.05, "named certificate", named_certificate)
    maybe(0.03, "name", lambda: p["names"].__setitem__(*rng.choice([
        ("ca", "Intel SGX PCK Processor CA"), ("ca", "Other CA"), ("signing", "Intel SGX PCK Certificate"),
        ("leaf", "Intel SGX TCB Signing")])))
    if module_counts(p):
        changes.add("module")
    order = [[[one["svn"] for one in each["tcb"][part]] for part in ("sgxtcbcomponents", "tdxtcbcomponents")] + [each["tcb"]["pcesvn"]]
             for each in tcb["tcbLevels"]]
    if order != sorted(order, reverse=True):
        changes.add("levels out of order")
    return changes


def module_counts(p):
    """Tells whether the verdict depends on the identity of the TDX module, which the first two SVNs name."""
    minor, major = p["svn"][:2]
    if major == 0:
        return False
    if any(each["tcb"]["tdxtcbcomponents"][0]["svn"] > minor or each["tcb"]["tdxtcbcomponents"][1]["svn"] > major
           for each in p["tcb_info"]["tcbLevels"]):
        return True
    for module in p["tcb_info"].get("tdxModuleIdentities", []):
        if module["id"] == f"TDX_{major:02X}":
            levels = [each for each in module["tcbLevels"] if each["tcb"]["isvsvn"] <= minor]
            return not levels or levels[0]["tcbStatus"] != "UpToDate" or "advisoryIDs" in levels[0]
    return True


def platform_cases(seed, count):
    rng = random.Random(seed)
    for _ in range(count):
        p = tp.fresh()
        changes = change_platform(p, rng)
        quote, bundle = tp.build(p)
        yield changes, quote, json.dumps(bundle), p["time"]


# ---- bytes of recorded evidence ----

# TIME lies in the validity of the recorded evidence. EDGES are the ends of the validity windows of its collateral.
TIME = 1750500000
EDGES = (1750328163, 1750329147, 1752919234, 1752919235, 1752919263, 1752920187)


def change_quote(quote, rng):
    kind = rng.randrange(5)
    if kind == 0:
        return {"cut quote"}, quote[: rng.randrange(len(quote))]
    if kind == 1:
        return {"longer quote"}, quote + rng.choice([bytes(rng.randrange(1, 99)), b"\0\1", b"\n"])
    changed = bytearray(quote)
    for _ in range(rng.choice([1, 1, 1, 3])):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return {"quote bits"}, bytes(changed)


def change_bundle(bundle, rng):
    member = rng.choice(list(bundle))
    text = bundle[member]
    at = rng.randrange(len(text))
    changed = rng.choice([
        text[:at] + chr(ord(text[at]) ^ 1 << rng.randrange(7)) + text[at + 1 :],
        text[:at] + text[at + 1 :],
        text[:at] + rng.choice([" ", "\n", "0", "x", "}", '"', ","]) + text[at:],
        text if member in ("tcb_info", "qe_identity") or "chain" in member else text.upper(),
        rng.choice(["", " " + text, text + "\n", text + text]),
    ])
    return {"bundle text", member}, bundle | {member: changed}


def recorded_cases(recorded, seed, count, good=TIME, edges=EDGES):
    rng = random.Random(seed)
    genuine, bundle = recorded
    for _ in range(count):
        quote, collateral, time = genuine, bundle, good
        kind = rng.randrange(10)
        if kind < 5:
            changes, quote = change_quote(quote, rng)
        elif kind < 9:
            changes, collateral = change_bundle(collateral, rng)
        else:
            changes, time = {"window"}, rng.choice(edges) + rng.randrange(-1, 2)
        yield changes, quote, json.dumps(collateral), time
