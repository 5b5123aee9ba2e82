"""Makes collateral bundles of one Intel platform from recorded files."""

import json

HEX_DER = {"root_ca_crl", "pck_crl"}


def inner_text(body, member):
    """Returns the signed bytes of a PCS answer, exactly as they stand in it, and the signature."""
    start = body.index(f'"{member}":') + len(member) + 3
    _, end = json.JSONDecoder().raw_decode(body[start:])
    return body[start:start + end], json.loads(body)["signature"]


def tdx_bundle(vectors, parts):
    """Returns one platform's collateral from single files: PCS answers, CRLs, issuer chains from another bundle (`chains`), and everything
    that no other file holds (`rest`)."""
    out = dict.fromkeys(["pck_crl_issuer_chain", "root_ca_crl", "pck_crl", "tcb_info_issuer_chain", "tcb_info",
                         "tcb_info_signature", "qe_identity_issuer_chain", "qe_identity", "qe_identity_signature"], "")
    for name, file in sorted(parts.items(), key=lambda part: part[0] != "rest"):
        if name == "rest":
            rest = json.loads((vectors / file).read_text())
            out.update({key: rest[key] for key in out})
        elif name == "chains":
            chains = json.loads((vectors / file).read_text())
            out.update({key: chains[key] for key in chains if key.endswith("_issuer_chain")})
        elif name in HEX_DER:
            raw = (vectors / file).read_bytes()
            out[name] = raw.hex() if raw[0] == 0x30 else raw.decode().strip()
        else:
            member = {"tcb_info": "tcbInfo", "qe_identity": "enclaveIdentity"}[name]
            out[name], out[name + "_signature"] = inner_text((vectors / file).read_text(), member)
    return out
