"""Room that many share, of which one may take no more than a part."""

from collections import Counter


class Room:
    """A number of places, with at most a share of them for each name; in memory only for those who are inside.

    Parameters
    ----------
    most
        Places.
    share
        Part of them, from 0 to 1, that one name may have.
    least
        Places that one name may have in any case.

    Attributes
    ----------
    taken
        Places that are taken.
    """

    def __init__(self, most: int, share: float, least: int = 1) -> None:
        self.most, self.most_of_one = most, max(least, int(most * share))
        self.taken = 0
        self._of: Counter[str] = Counter()

    def is_full(self, places: int = 1) -> bool:
        """Return whether there are not so many more places."""
        return self.taken + places > self.most

    def has_its_share(self, name: str, places: int = 1) -> bool:
        """Return whether a name may not have so many more."""
        return self._of[name] + places > self.most_of_one if name in self._of else places > self.most_of_one

    def take(self, name: str, places: int = 1) -> None:
        """Take places."""
        self.taken += places
        self._of[name] += places

    def leave(self, name: str, places: int = 1) -> None:
        """Give places back."""
        self.taken -= places
        self._of[name] -= places
        if self._of[name] <= 0:
            del self._of[name]
