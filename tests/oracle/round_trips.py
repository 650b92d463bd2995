# SPDX-License-Identifier: Apache-2.0
"""Rules that can be taken back, and what comes of taking them back.

A renamed string object that is also used outside the edited dict is one object no more when it has
come back, which shows in the bytes: such files are demanded to be equal in meaning.
"""

import dataclasses
import json
import os

import running
import shared_text

LETTERS = "abcdefghijklmnopqrstuvwxyz"
EVERY = ("--in", "*")
KINDS_OF_A_FILE = 3


@dataclasses.dataclass
class There:
    """The state dicts that an edit works on."""

    options: tuple
    state_dicts: list
    names: list


@dataclasses.dataclass
class Rule:
    kind: str
    forth: list
    back: list


def fresh(random, data, ending=""):
    """A word that stands nowhere in the pickle, and no other call has given."""
    while True:
        word = "zq" + "".join(random.choice(LETTERS) for _ in range(12))
        if word.encode() not in data:
            return word + ending


def usable(name):
    """Whether a name survives JSON and a command line."""
    return "\ufffd" not in name and "\0" not in name


def add_prefix(random, data, names, directory):
    prefix = fresh(random, data, random.choice([".", ""]))
    return Rule("add-prefix", ["--add-prefix", prefix], ["--strip-prefix", prefix])


def prefix(random, data, names, directory):
    names = [name for name in names if name]
    if not names:
        return None
    name = random.choice(names)
    dots = [i + 1 for i, letter in enumerate(name) if letter == "."]
    end = random.choice(dots) if dots and random.random() < 0.7 else random.randint(1, len(name))
    old, new = name[:end], fresh(random, data, random.choice([".", ""]))
    return Rule("from-to", ["--from", old, "--to", new], ["--from", new, "--to", old])


def whole(random, data, names, directory):
    chosen = random.sample(names, min(len(names), random.randint(1, 4)))
    pairs = [(old, fresh(random, data, random.choice(["", ".w"]))) for old in chosen]
    return Rule(
        "map",
        [word for old, new in pairs if "=>" not in old for word in ("--map", f"{old}=>{new}")],
        [
            word
            for old, new in reversed(pairs)
            if "=>" not in old
            for word in ("--map", f"{new}=>{old}")
        ],
    )


def map_file(random, data, names, directory):
    pairs = {old: fresh(random, data, random.choice(["", ".w"])) for old in names}
    paths = [os.path.join(directory, name) for name in ("forth.json", "back.json")]
    for path, mapping in zip(paths, (pairs, {new: old for old, new in pairs.items()})):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(mapping, file)
    return Rule("map-from", ["--map-from", paths[0]], ["--map-from", paths[1]])


def regex(random, data, names, directory):
    word = fresh(random, data)
    choices = [(rf"\A=>{word}", rf"\A{word}=>")]
    if any(".weight" in name for name in names):
        choices.append((rf"\.weight\z=>.{word}", rf"\.{word}\z=>.weight"))
    if any(any(part.isdecimal() for part in name.split(".")[1:-1]) for name in names):
        choices.append((rf"\.([0-9]+)\.=>.{word}\1.", rf"\.{word}([0-9]+)\.=>.\1."))
    if any("a" in name for name in names):
        choices.append((rf"a=>{word}", rf"{word}=>a"))
    forth, back = random.choice(choices)
    if not any(".weight" == name[-7:] for name in names) and ".weight" in forth:
        forth, back = choices[0]
    return Rule("regex", ["--regex", forth], ["--regex", back])


KINDS = {
    "add-prefix": add_prefix,
    "from-to": prefix,
    "map": whole,
    "map-from": map_file,
    "regex": regex,
}


def look(ptsd, path, random):
    """(There, None), or (None, the message of the refusal)."""
    ways = [(), EVERY] if random.random() < 0.5 else [EVERY]
    for options in ways:
        answer = running.run(ptsd, "rename", path, "--add-prefix", "p", "--dry-run", *options)
        if answer.code == 0:
            names = list(dict.fromkeys(change["from"] for change in answer.json["changes"]))
            return There(options, answer.json["state_dicts"], names), None
    return None, answer


@dataclasses.dataclass
class Outcome:
    kind: str
    failure: str = None
    unequal: str = None  # a file that should be equal in meaning
    why: str = None


def there_and_back(ptsd, path, place, rule, directory):
    middle, end = (os.path.join(directory, name) for name in ("forth.pt", "back.pt"))
    for source, target, words in ((path, middle, rule.forth), (middle, end, rule.back)):
        answer = running.run(
            ptsd, "rename", source, "-o", target, "--force", *words, *place.options
        )
        if answer.code != 0:
            shown = " ".join(map(repr, [*words, *place.options]))
            return Outcome(rule.kind, f"rename {shown}: {answer.told()}")
        if words is rule.forth:
            renamed = {change["from"] for change in answer.json["changes"]}
    if running.same_bytes(path, end):
        return Outcome(rule.kind)
    elsewhere = shared_text.names_used_elsewhere(
        path, place.state_dicts, set(place.names), renamed
    )
    shown = f"rename {' '.join(map(repr, [*rule.forth, *place.options]))} and back"
    if elsewhere:
        return Outcome(rule.kind, None, end, f"{elsewhere[0]!r} is used elsewhere")
    return Outcome(rule.kind, shown, end)


def rules_of(random, path, place, directory):
    data = shared_text.pickle_of(path)
    names = [name for name in place.names if usable(name)]
    kinds = list(KINDS) if names else ["add-prefix"]
    for kind in random.sample(kinds, min(len(kinds), KINDS_OF_A_FILE)):
        rule = KINDS[kind](random, data, names, directory)
        if rule is not None and rule.forth:
            yield rule

