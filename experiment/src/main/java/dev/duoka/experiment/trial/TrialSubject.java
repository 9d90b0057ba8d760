package dev.duoka.experiment.trial;

import dev.duoka.base.Sha256;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.config.binding.FieldChange;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What is tried on what.
 *
 * @param changes what the change changes
 * @param model which model on which batches it is, so that trials of it find each other
 * @param noLoss why losses are not compared; empty where they are
 */
record TrialSubject(List<String> changes, String model, Optional<String> noLoss) {
  /** Fields that say which tokens a step sees or what its loss is of, or begin what does. */
  private static final Set<String> BATCHES =
      Set.of("data.", "training.tokens_per_step", "training.seed", "model.", "preference.");

  /** Fields of {@code data} that say only where things are. */
  private static final Set<String> PLACES = Set.of("data.cache");

  private static final int HASH_BYTES = 8;

  TrialSubject {
    changes = List.copyOf(changes);
  }

  static TrialSubject of(RunConfig base, RunConfig changed) {
    List<FieldChange> changes = RunFile.changes(base, changed);
    Optional<String> other =
        changes.stream()
            .map(FieldChange::key)
            .filter(key -> !PLACES.contains(key))
            .filter(key -> BATCHES.stream().anyMatch(key::startsWith))
            .findFirst();
    return new TrialSubject(
        changes.stream().map(FieldChange::toString).toList(),
        model(base),
        other.map(
            key ->
                String.format(
                    Locale.ROOT,
                    "%s changes %s: losses are of different things",
                    key,
                    key.startsWith("model.")
                        ? "the model"
                        : key.startsWith("preference.") ? "what the loss is of" : "the batches")));
  }

  /**
   * What decides how far two runs drift apart, and how fast they are. Rates are among it: with
   * greater ones rounding grows faster.
   */
  private static String model(RunConfig config) {
    String text =
        Stream.<Object>of(
                config.model(),
                config.data().sources(),
                config.data().tokenizer(),
                config.data().sequenceLength(),
                config.adapter(),
                config.memory(),
                config.training().tokensPerStep(),
                config.training().precision(),
                config.optimizer(),
                config.schedule(),
                config.parallel(),
                config.device(),
                config.threads())
            .map(String::valueOf)
            .collect(Collectors.joining("\n"));
    return HexFormat.of()
        .formatHex(Sha256.of(text.getBytes(StandardCharsets.UTF_8)), 0, HASH_BYTES);
  }

  TrialSubject withoutLoss(String reason) {
    return new TrialSubject(changes, model, Optional.of(noLoss.orElse(reason)));
  }
}
