package dev.duoka.planner.search;

import dev.duoka.hardware.Card;
import dev.duoka.hardware.Machine;
import java.util.OptionalDouble;

/**
 * What running costs.
 *
 * @param usdPerHour to rent the cards that are used; empty where no rent is known
 * @param usdPerBillionTokens of that rent; empty where no rent is known
 * @param usdToBuy the cards that are used, without the host; empty where no price is known
 * @param kilowatts of those cards at their power limit and the whole host
 */
public record Cost(
    OptionalDouble usdPerHour,
    OptionalDouble usdPerBillionTokens,
    OptionalDouble usdToBuy,
    double kilowatts) {

  static Cost of(Machine machine, int gpus, double tokensPerSecond) {
    Card card = machine.card();
    OptionalDouble hour =
        card.rentPrice().isPresent()
            ? OptionalDouble.of(card.rentPrice().get().usd() * gpus)
            : OptionalDouble.empty();
    OptionalDouble billion =
        hour.isPresent()
            ? OptionalDouble.of(hour.getAsDouble() * 1e9 / tokensPerSecond / 3600)
            : OptionalDouble.empty();
    OptionalDouble buy =
        card.buyPrice().isPresent()
            ? OptionalDouble.of(card.buyPrice().get().usd() * gpus)
            : OptionalDouble.empty();
    double watts = card.tdpWatts() * gpus + machine.host().watts();
    return new Cost(hour, billion, buy, watts / 1000);
  }
}
