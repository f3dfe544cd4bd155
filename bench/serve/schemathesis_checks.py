"""A check of our own for Schemathesis: what the description allows is never refused for its kind. 422 is left for what no schema can say."""
import re

import schemathesis

KIND = re.compile(r"^(an? (finite |whole )?(number|text|list|array|object)\b.*is wanted|true or false is wanted|there is no such (field|option))")


@schemathesis.check
def decoder_agrees(ctx, response, case):
    if response.status_code != 422 or not case.meta or not case.meta.generation.mode.is_positive:
        return
    told = [e["message"] for e in response.json().get("errors", []) if KIND.match(e["message"])]
    assert not told, f"the description allows what the decoder refuses: {told}"
