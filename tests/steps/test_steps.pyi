"""What the Rust module `test_steps` shows to Python.

Made by `oxflow stubs test_steps`; not edited by hand.
"""

from typing import Any, Literal, TypeAlias, TypedDict

from oxflow import RustFunction
from typing_extensions import NotRequired

class BorrowedWord(TypedDict):
    """A word that lies in its message."""

    text: str
    count: int
    tags: NotRequired[dict[str, str]]

class Choices(TypedDict):
    """All enums."""

    colour: Literal["red", "light-blue"]
    external: Literal["Nothing"] | External_One | External_Two | External_Named
    internal: list[Internal_Started | Internal_TimedOut | Internal_Moved]
    adjacent: NotRequired[Adjacent_Nothing | Adjacent_One | Adjacent_Two | None]
    scalar: bool | int | float | str

Containers = TypedDict(
    "Containers",
    {
        "list": list[int | None],
        "queue": list[str],
        "slice": list[bool],
        "array": tuple[int, int, int],
        "tuple": tuple[int, str, list[float]],
        "map": dict[str, list[int]],
        "bytes": list[int],
        "period": Duration,
    },
)
"""Lists, sets, tuples and maps."""

class Flattened(TypedDict):
    """Fields of others among its own."""

    id: int
    x: int
    y: float
    note: NotRequired[str]

Fragile: TypeAlias = Any

class Lent(TypedDict):
    """Lies in its message."""

    slice: str
    cow: str
    text: str
    tags: dict[str, list[str]]

class Living(TypedDict):
    """A word that is counted while it lives."""

    text: str
    count: int

class Maybe(TypedDict):
    """What may be flattened."""

    note: str

class Metric(TypedDict):
    """What `metrics_steps` calls an `IngestMetric`: another name, another order, fewer values."""

    timestamp: int
    name: str
    type: str
    value: int
    tags: dict[str, str]
    org_id: int
    project_id: int
    retention_days: int

class Narrow(TypedDict):
    """Types whose JSON is narrower than their shape."""

    letter: str
    set: list[int]
    numbers: dict[str, bool]
    flags: dict[str, int]
    colours: dict[str, int]
    address: str
    when: str
    day: str
    id: str

class Nest(TypedDict):
    """A payload that may lie in another one."""

    inner: NotRequired[Nest | None]

class Open(TypedDict):
    """What no other field names is kept."""

    id: int

class Owner(TypedDict):
    """Has pets, which have an owner."""

    pets: list[Pet]

class Packet(TypedDict):
    """A packet, as it lies in the message."""

    name: str
    body: list[int]
    tags: NotRequired[dict[str, float]]

Pair: TypeAlias = tuple[int, str]
"""A pair without names."""

class Pet(TypedDict):
    """Has an owner, who has pets."""

    owner: NotRequired[Owner | None]

class Place(TypedDict):
    """A place, to be held by others."""

    x: int
    y: float

Plain: TypeAlias = Any

class Reading(TypedDict):
    """A message of protobuf."""

    sensor: str
    celsius: list[float]
    counts: dict[str, int]
    before: NotRequired[Reading | None]
    place: NotRequired[Place_Name | Place_Number | None]

class Scalars(TypedDict):
    """The types that JSON has."""

    truth: bool
    small: int
    large: int
    larger: int
    largest: int
    single: float
    double: float
    text: str
    nothing: None
    any: bool | int | float | str

class Sparse(TypedDict):
    """Fields that need not be there."""

    alwaysThere: int
    optional: NotRequired[int | None]
    defaulted: NotRequired[list[int]]
    sometimes: NotRequired[str | None]

class Strict(TypedDict):
    """What no field names is refused."""

    id: int
    places: list[Place]

TextChoices: TypeAlias = Any

TextContainers: TypeAlias = Any

TextFlattened: TypeAlias = Any

TextNarrow: TypeAlias = Any

TextOpen: TypeAlias = Any

TextPage: TypeAlias = Any

TextPair: TypeAlias = Any

TextScalars: TypeAlias = Any

TextSparse: TypeAlias = Any

TextTree: TypeAlias = Any

class Told(TypedDict):
    """A text and the way in which it left Rust: as an `object`, or as `text`."""

    text: str
    way: NotRequired[str]

Touchy: TypeAlias = str
"""Panics while it is written, or while it is read."""

class Tree(TypedDict):
    """Itself, in itself."""

    value: int
    children: list[Tree]
    parent: NotRequired[Tree | None]

class Word(TypedDict):
    """A counted word."""

    text: str
    count: int
    tags: NotRequired[dict[str, str]]

Words: TypeAlias = Any

class External_One(TypedDict):
    One: int

class External_Two(TypedDict):
    Two: tuple[int, str]

class External_Named(TypedDict):
    Named: External_Named_Content

class External_Named_Content(TypedDict):
    place: Place

class Internal_Started(TypedDict):
    type: Literal["started"]

class Internal_TimedOut(TypedDict):
    type: Literal["timed_out"]
    after: int

class Internal_Moved(TypedDict):
    type: Literal["moved"]
    x: int
    y: float

class Adjacent_Nothing(TypedDict):
    t: Literal["Nothing"]

class Adjacent_One(TypedDict):
    t: Literal["One"]
    c: Place

class Adjacent_Two(TypedDict):
    t: Literal["Two"]
    c: tuple[int, bool]

class Duration(TypedDict):
    secs: int
    nanos: int

class Place_Name(TypedDict):
    Name: str

class Place_Number(TypedDict):
    Number: int

class Page_Place(TypedDict):
    items: list[Place]
    next: NotRequired[int | None]

class Double(RustFunction[Word, Word]):
    """Doubles the count."""

class IsPlain(RustFunction[Any, bool]): ...

class LivingMoreThan(RustFunction[Living, bool]):
    """Keeps words that were counted more than `count` times."""

    def __init__(self, count: int) -> None: ...

class LivingTotal(RustFunction[Living, Living]):
    """Adds the counts of all words so far."""

    def __init__(self) -> None: ...

class Longest(RustFunction[list[Word], Word | None]):
    """The longest word of a list."""

    def __init__(self) -> None: ...

class MoreThan(RustFunction[Word, bool]):
    """Keeps words that were counted more than `count` times, and those in `words`."""

    def __init__(self, count: int, words: list[str] = ...) -> None: ...

class Once(RustFunction[Word, Word]):
    """Can be made once in a process."""

    def __init__(self) -> None: ...

class RunningTotal(RustFunction[Word, Word]):
    """Adds the counts of all words so far."""

    def __init__(self, from_: int = ...) -> None: ...

check: RustFunction[Word, Word]
"""Fails on the word `bad`, panics on `panic`, and does what no machine can do on `overflow` and `bottomless`."""

check_living: RustFunction[Living, Living]
"""Fails on the word `bad`, panics on `panic`."""

count_each: RustFunction[Word, Word]
"""A series of its own for each text: more than anybody keeps."""

describe: RustFunction[Word, Word]
"""Where the message comes from."""

double_borrowed: RustFunction[BorrowedWord, BorrowedWord]
"""Twice the count, of a word that lies in its message."""

fragile: RustFunction[Word, list[Any]]
"""The letters of a word; some break on their way out."""

has_values: RustFunction[Reading, bool]
"""Whether anything was measured."""

how_many_live: RustFunction[Word, int]
"""How many payloads and functions there are."""

inverse: RustFunction[Word, float]
"""One by the count; of a count of zero it has no JSON but `null`."""

is_frequent: RustFunction[Word, bool]
"""Keeps words that were counted more than once."""

is_frequent_borrowed: RustFunction[BorrowedWord, bool]
"""Whether a word that lies in its message was counted more than once."""

is_frequent_by_value: RustFunction[Word, bool]
"""The same, taking the message by value."""

join: RustFunction[Any, Word]
"""All words of a batch as one."""

key_by_text: RustFunction[Word, Word]
"""Moves the text into the key and says so in a header."""

leak_span: RustFunction[Word, Word]
"""Leaves a span entered for good, and then warns."""

length_class: RustFunction[Word, str]
"""`short`, `long`."""

lent_after_rendezvous: RustFunction[Lent, Lent]
"""The same, after somebody removed the file of the name in `slice`."""

letters: RustFunction[Word, list[Word]]
"""A word for each letter."""

long_only: RustFunction[Word, Word | None]
"""The word, unless it is short."""

nearest_double: RustFunction[bytes, bytes]
"""Takes the offer that has nearest to twice what the task needs of the first resource; panics at an offer of 13."""

one_more: RustFunction[int, int]
"""One more."""

panic_in_span: RustFunction[Word, Word]
"""Panics within two spans if the word is `panic`, and then warns."""

record: RustFunction[Word, Word]
"""Records at every level, a field of each kind, and measures."""

rendezvous: RustFunction[Word, Word]
"""Says that it runs, by a file of the word's name, and waits until somebody removes the file."""

repeat_living: RustFunction[Living, list[Living]]
"""As many of a word as its count says."""

reverse: RustFunction[bytes, bytes]
"""Raw bytes, reversed; no conversion trait is involved."""

same_choices: RustFunction[Choices, Choices]
same_containers: RustFunction[Containers, Containers]
same_flattened: RustFunction[Flattened, Flattened]
same_internal: RustFunction[
    Internal_Started | Internal_TimedOut | Internal_Moved, Internal_Started | Internal_TimedOut | Internal_Moved
]
same_lent: RustFunction[Lent, Lent]
"""Gives back what lies in the message."""

same_metric: RustFunction[Metric, Metric]
same_narrow: RustFunction[Narrow, Narrow]
same_open: RustFunction[Open, Open]
same_owner: RustFunction[Owner, Owner]
same_page: RustFunction[Page_Place, Page_Place]
same_pair: RustFunction[tuple[int, str], tuple[int, str]]
same_pet: RustFunction[Pet, Pet]
same_place: RustFunction[Place, Place]
same_scalars: RustFunction[Scalars, Scalars]
same_sparse: RustFunction[Sparse, Sparse]
same_strict: RustFunction[Strict, Strict]
same_touchies: RustFunction[list[str], list[str]]
"""Gives back all of them."""

same_tree: RustFunction[Tree, Tree]
share: RustFunction[Word, float]
"""The share of each word in all that come with it; fails on the word `bad`."""

silent: RustFunction[Word, Word]
"""The same work, with nothing recorded."""

spin: RustFunction[Word, Word]
"""Never answers."""

stubborn: RustFunction[Word, Word]
"""Fails on each word as often as its count says, and then lets it pass."""

stubborn_filter: RustFunction[Word, bool]
"""The same, as a filter."""

take: RustFunction[Word, Word]
"""Takes words, but those that say what is wrong with them; a `busy` one when it is asked as often as its count says."""

text_choices: RustFunction[Any, Any]
text_containers: RustFunction[Any, Any]
text_flattened: RustFunction[Any, Any]
text_narrow: RustFunction[Any, Any]
text_open: RustFunction[Any, Any]
text_page: RustFunction[Any, Any]
text_pair: RustFunction[Any, Any]
text_scalars: RustFunction[Any, Any]
text_sparse: RustFunction[Any, Any]
text_tree: RustFunction[Any, Any]
told: RustFunction[Told, Told]
"""How it left Rust; `unwritable` can't, and `panic` panics on the way out."""

told_by_word: RustFunction[Told, list[Told]]
"""Each word, and how it left Rust."""

total: RustFunction[list[Word], int]
"""The counts of a list."""

traceparent: RustFunction[Word, str]
"""Where in a trace the function is."""

turned: RustFunction[Packet, Packet]
"""Turns the body round."""

warn_elsewhere: RustFunction[Word, Word]
"""Warns, counts and makes a span in a thread of its own."""

warn_often: RustFunction[Word, Word]
"""As many warnings as the count says."""

with_mean: RustFunction[Reading, Reading]
"""Puts the mean behind the values."""
