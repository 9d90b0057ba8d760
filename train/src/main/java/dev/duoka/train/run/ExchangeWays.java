package dev.duoka.train.run;

import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.layout.Dispatcher;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.device.Transport;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/**
 * By what the ranks of a run exchange: what its file says, and what {@code auto} became.
 *
 * @param settings as the file says it
 * @param collectives what carries tensors
 * @param dispatcher how tokens get to experts; empty where no expert is on another rank
 */
record ExchangeWays(
    ParallelSettings settings, Transport collectives, Optional<Dispatcher> dispatcher) {
  /** The ways of a run, as its ranks take them. */
  static ExchangeWays of(RunSetup setup) {
    ParallelSettings parallel = setup.config().parallel();
    MoeConfig moe = setup.model().moe();
    return new ExchangeWays(
        parallel,
        Transport.of(parallel.collectives(), setup.placement().devices(), parallel.ranks()),
        moe == null || parallel.expert() == 1
            ? Optional.empty()
            : Optional.of(parallel.dispatcherOf(moe)));
  }

  /** For example {@code collectives copies (auto); tokens to experts by all_gather (auto)}. */
  @Override
  public String toString() {
    String asked = settings.collectives().name().toLowerCase(Locale.ROOT);
    return "collectives "
        + asAsked(collectives.toString(), asked)
        + dispatcher
            .map(it -> "; tokens to experts by " + asAsked(it, settings.dispatcher()))
            .orElse("");
  }

  private static String asAsked(Object taken, Object asked) {
    return taken.equals(asked) ? taken.toString() : taken + " (" + asked + ")";
  }

  /** Adds them to {@code placement.json}. */
  void into(ObjectNode placement) {
    placement.put("collectives", collectives.toString());
    dispatcher.ifPresent(it -> placement.put("dispatcher", it.toString()));
  }
}
