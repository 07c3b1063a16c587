"""Figures in pages: what a script prints stands between two marks."""

END = "<!-- end -->"


def page_with(text, page, name):
    """The page with this text between `<!-- name -->` and `<!-- end -->`."""
    begin = f"<!-- {name} -->"
    with open(page, encoding="utf-8") as file:
        before, _, rest = file.read().partition(begin + "\n")
    return before + begin + "\n" + text + "\n" + END + rest.partition(END)[2]


def put(text, page, name):
    whole = page_with(text, page, name)
    with open(page, "w", encoding="utf-8") as file:
        file.write(whole)
