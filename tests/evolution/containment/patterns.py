"""Random ECMA 262 patterns over a few letters, and all short texts of them."""

import itertools
import re

from hypothesis import strategies as st

from jobarium_events.validation.patterns import translate

LETTERS = "ab\n"
TEXTS = ["".join(each) for length in range(6) for each in itertools.product(LETTERS, repeat=length)]

characters = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\n", r"\w", r"\s", "[^]", "[]", "", "^", "$"])
quantifiers = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,2}", "{2,}", "{0}", "*?"])
looks = st.sampled_from(["", "", "(?!a)", "(?=.*b)", "(?!.*bb$)", "(?=a|^$)"])

inner = st.recursive(
    characters,
    lambda part: st.one_of(
        st.builds("{}{}".format, part, part),
        st.builds("(?:{}|{})".format, part, part),
        st.builds("({}){}".format, part, quantifiers),
        st.builds("(?:{}){}".format, part, quantifiers),
    ),
    max_leaves=6,
)
patterns = st.one_of(
    inner,
    st.builds("^{}$".format, inner),
    st.builds("{}|{}".format, inner, inner),
    st.builds("^{}{}{}$".format, looks, looks, inner),
)


def matches(pattern, text):
    return re.search(translate(pattern), text) is not None
