"""Learns a byte-level BPE tokenizer from captions: no text is unknown to it, and it takes kilobytes, not megabytes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PADDING = "<pad>"
START = "<s>"
END = "</s>"
PADDING_ID, START_ID, END_ID = 0, 1, 2
_HAN_CHARACTER = r"[\u4e00-\u9fff]"
_RAREST_PAIR = 2


def train_tokenizer(captions: Iterable[str], largest_vocabulary: int, context_length: int) -> "Tokenizer":
    """NFKC, lower case, each Han character a word of its own. It pads to the longest text of a batch."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(_HAN_CHARACTER), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=True)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=largest_vocabulary,
        special_tokens=[PADDING, START, END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        min_frequency=_RAREST_PAIR,
        show_progress=False,
    )
    tokenizer.train_from_iterator(captions, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, START_ID), (END, END_ID)]
    )
    tokenizer.enable_truncation(context_length)
    tokenizer.enable_padding(pad_id=PADDING_ID, pad_token=PADDING)
    return tokenizer
