"""The ranker that the settings ask for."""

from ranking.hand_set import HandSetRanker
from ranking.rankers import Ranker, RankerUnusable
from ranking.reranking_settings import RerankingSettings


def create_ranker(settings: RerankingSettings) -> Ranker:
    """The trained one where a folder is named, else the hand-set one. Raises RankerUnusable."""
    if settings.ranker is None:
        return HandSetRanker(settings.weights)
    from ranking.ranker_folder import read_ranker  # torch and LightGBM: four seconds of a start that needs neither

    trained, features = read_ranker(settings.ranker), settings.features
    if tuple(trained.features) != tuple(features):
        of_one_only = [one for one in trained.features if one not in features]
        differing = {one.name for one in (*of_one_only, *(one for one in features if one not in trained.features))}
        raise RankerUnusable(
            f"the ranker in {settings.ranker} was trained on other features than ranking.reranking.features declares"
            f" ({', '.join(sorted(differing)) or 'their order differs'}): train it again, or declare those"
        )
    return trained.ranker()
