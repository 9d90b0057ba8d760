package dev.duoka.planner.layout;

import dev.duoka.hardware.Card;
import dev.duoka.hardware.NumberFormat;
import dev.duoka.layout.Precision;

/** In which of the number formats that cards have peaks of the products of a precision are. */
public final class ProductFormat {
  private ProductFormat() {}

  /** The format of the products, whose peak rate a card has. */
  public static NumberFormat of(Precision precision) {
    return switch (precision) {
      case FP64, FP32 -> NumberFormat.FP32;
      case TF32 -> NumberFormat.TF32;
      case BF16 -> NumberFormat.BF16;
      case FP16 -> NumberFormat.FP16;
      case FP8 -> NumberFormat.FP8;
    };
  }

  /** The precision of 16 bits to train in on a card: bf16 where it has that. */
  public static Precision halfPrecision(Card card) {
    return card.halfPrecision() == NumberFormat.BF16 ? Precision.BF16 : Precision.FP16;
  }
}
