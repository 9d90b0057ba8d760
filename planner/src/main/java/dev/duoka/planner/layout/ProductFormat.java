package dev.duoka.planner.layout;

import dev.duoka.layout.Precision;
import dev.duoka.planner.catalogue.Card;

/** In which of the catalogue's number formats the products of a precision are. */
public final class ProductFormat {
  private ProductFormat() {}

  /** The format of the products, whose peak rate a card has. */
  public static dev.duoka.planner.catalogue.Precision of(Precision precision) {
    return switch (precision) {
      case FP32 -> dev.duoka.planner.catalogue.Precision.FP32;
      case TF32 -> dev.duoka.planner.catalogue.Precision.TF32;
      case BF16 -> dev.duoka.planner.catalogue.Precision.BF16;
      case FP16 -> dev.duoka.planner.catalogue.Precision.FP16;
      case FP8 -> dev.duoka.planner.catalogue.Precision.FP8;
    };
  }

  /** The precision whose products are in the 16-bit format that a card is to train in. */
  public static Precision halfPrecision(Card card) {
    return card.halfPrecision() == of(Precision.BF16) ? Precision.BF16 : Precision.FP16;
  }
}
