"""What is known at one time of one shopper and some products: rates and what they are beyond the expected."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from feedback.co_clicks import CoClicks
from feedback.context_lifts import InContext, context_lifts
from feedback.contexts import Daypart
from feedback.decay import Floats
from feedback.profiles import Deeds, Profile
from feedback.statistics import Counter, ProductCounts, smoothed_rates


@dataclass(frozen=True, slots=True, eq=False)
class ShopperState:
    """What is known at one time of one shopper and some products, a row each in the order that was asked for.

    `of_class` has the counts of the products in lists of the same query class, zeros where the query had no text;
    `shop` those of all products together, in one row; `others` those of the other products that were asked for;
    `at_place` first those of all products together, then those of each, in lists at the place, no row where none was
    asked for.
    """

    profile: Profile
    products: ProductCounts
    of_class: ProductCounts
    shop: ProductCounts
    others: ProductCounts
    at_place: ProductCounts
    co_clicks: Sequence[CoClicks]
    prior_impressions: float
    recent_items: int
    _rates: dict[tuple[Counter, int | None, Counter], Floats] = field(default_factory=dict)  # several features ask
    _shop_rates: dict[tuple[Counter, int | None, Counter], Floats] = field(default_factory=dict)

    @property
    def recent(self) -> Deeds:
        """The newest things done."""
        return self.profile.recent(self.recent_items)

    def rates(self, counter: Counter, half_life: int | None = None, trials: Counter = Counter.IMPRESSIONS) -> Floats:
        """Smoothed towards the rate of the whole shop. `half_life` is a place in the settings; None: nothing fades."""
        asked = counter, half_life, trials
        if asked not in self._rates:
            prior = self._shop_rate(counter, half_life, trials)
            self._rates[asked] = self._smoothed(self.products, counter, half_life, trials, prior)
        return self._rates[asked]

    def rates_of_others(self, counter: Counter) -> Floats:
        """Of all impressions, smoothed towards the rate of the whole shop."""
        trials = Counter.IMPRESSIONS
        return self._smoothed(self.others, counter, None, trials, self._shop_rate(counter, None, trials))

    def class_rates(
        self, counter: Counter, half_life: int | None = None, trials: Counter = Counter.IMPRESSIONS
    ) -> Floats:
        """Those in lists of the same query class, smoothed towards each product's rate in all lists."""
        return self._smoothed(self.of_class, counter, half_life, trials, self.rates(counter, half_life, trials))

    def lifts(self, half_life: int | None = None) -> Floats:
        """Clicks beyond the expected ones, for each impression; smoothed towards none."""
        beyond = self.products.column(Counter.CLICKS, half_life) - self.products.column(
            Counter.EXPECTED_CLICKS, half_life
        )
        seen = self.products.column(Counter.IMPRESSIONS, half_life) + self.prior_impressions
        return np.divide(beyond, seen, out=np.zeros(len(seen)), where=seen > 0)

    def daypart_lifts(self, counter: Counter, daypart: Daypart) -> Floats:
        """As `place_lifts`, of that quarter of the day."""
        wanted = counter, Counter.IMPRESSIONS
        shop, products = ([of.at_daypart(daypart, each) for each in wanted] for of in (self.shop, self.products))
        return self._lifts_there(counter, InContext(*shop, *products))

    def place_lifts(self, counter: Counter) -> Floats:
        """Log odds beyond what the rates of the product and of the place let expect; 0 where nothing is known."""
        if not len(self.at_place):
            return np.zeros(len(self.products))
        done, seen = self.at_place.column(counter), self.at_place.column(Counter.IMPRESSIONS)
        return self._lifts_there(counter, InContext(done[:1], seen[:1], done[1:], seen[1:]))

    def _lifts_there(self, counter: Counter, there: InContext) -> Floats:
        shop_rate = self._shop_rate(counter, None, Counter.IMPRESSIONS)
        return context_lifts(there, self.rates(counter), shop_rate, max(self.prior_impressions, 1.0))

    def _shop_rate(self, counter: Counter, half_life: int | None, trials: Counter) -> Floats:
        asked = counter, half_life, trials
        if asked not in self._shop_rates:
            done, tried = self.shop.column(counter, half_life), self.shop.column(trials, half_life)
            self._shop_rates[asked] = smoothed_rates(done, tried, 0.0, 0.0)
        return self._shop_rates[asked]

    def _smoothed(
        self, counts: ProductCounts, counter: Counter, half_life: int | None, trials: Counter, prior: Floats
    ) -> Floats:
        successes, tried = counts.column(counter, half_life), counts.column(trials, half_life)
        return smoothed_rates(successes, tried, prior, self.prior_impressions)
