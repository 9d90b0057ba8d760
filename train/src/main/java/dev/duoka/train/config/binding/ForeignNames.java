package dev.duoka.train.config.binding;

import java.util.Map;
import java.util.Optional;

/** Fields of other programs' files, and what to write here in their place. */
final class ForeignNames {
  private static final String FOUR_BITS =
      "A base in 4 bits is adapter: {base: nf4}, made while the weights load.";

  private static final Map<String, String> HINTS =
      Map.of(
          "load_in_4bit",
          FOUR_BITS,
          "quantization",
          FOUR_BITS,
          "quantization_bit",
          FOUR_BITS,
          "quantization_config",
          FOUR_BITS,
          "bnb_4bit_quant_type",
          FOUR_BITS + " It has no other type.",
          "bnb_4bit_use_double_quant",
          "It is adapter.double_quantization.",
          "bnb_4bit_compute_dtype",
          "It is training.precision.",
          "load_in_8bit",
          "No base is kept in 8 bits: adapter: {base: nf4} keeps it in 4, adapter: {base:"
              + " dense} in training.precision.");

  private ForeignNames() {}

  /** What to write in place of a field; empty for one that is no other program's. */
  static Optional<String> hint(String name) {
    return Optional.ofNullable(HINTS.get(name));
  }
}
