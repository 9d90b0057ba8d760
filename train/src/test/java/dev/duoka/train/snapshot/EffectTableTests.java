package dev.duoka.train.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.train.config.RunFileDocs;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EffectTableTests {
  private static final Pattern SECTION = Pattern.compile("## `([a-z_.]+)`");
  private static final Pattern FIELD = Pattern.compile("\\| `([a-z0-9_]+)` \\| (.*?) \\|.*");

  /** A field that is added to the run file must say what it changes. */
  @Test
  void everyFieldOfTheRunFileIsInTheTable() {
    List<String> unknown = new ArrayList<>();
    String section = "";
    int fields = 0;
    for (String line : RunFileDocs.markdown().lines().toList()) {
      Matcher heading = SECTION.matcher(line);
      Matcher field = FIELD.matcher(line);
      if (heading.matches()) {
        section = heading.group(1) + ".";
      } else if (field.matches() && !field.group(2).equals("section")) {
        fields++;
        String key = "config." + section + field.group(1);
        if (!key.equals("config.environment") && !EffectTable.of(key, true, false).known()) {
          unknown.add(key);
        }
      }
    }
    assertThat(fields).isGreaterThan(70);
    assertThat(unknown).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "config.training.seed, NUMBERS",
    "config.adapter.base, NUMBERS",
    "config.optimizer.learning_rate, NUMBERS",
    "config.training.tokens_per_step, NUMBERS",
    "data.tokenizer, NUMBERS",
    "code.commit, NUMBERS",
    "config.parallel.data, ROUNDING",
    "config.threads, ROUNDING",
    "libraries.libtorch, ROUNDING",
    "products.NVIDIA-H200-cublaslt-130000.m1n2, ROUNDING",
    "environment.NCCL_ALGO, ROUNDING",
    "config.training.recompute, SPEED",
    "environment.NCCL_BUFFSIZE, SPEED",
    "config.environment.NCCL_BUFFSIZE, SPEED",
    "machine.gpus.0.power_limit, SPEED",
    "machine.links.0-1, SPEED",
    "environment.NCCL_DEBUG_SUBSYS, NEITHER",
    "config.run_dir, NEITHER",
    "config.logging.every_steps, NEITHER",
    "machine.gpus.3.uuid, NEITHER"
  })
  void says(String key, Effect effect) {
    EffectTable.Verdict verdict = EffectTable.of(key, true, false);
    assertThat(verdict.effect()).isEqualTo(effect);
    assertThat(verdict.known()).isTrue();
    assertThat(verdict.reason()).isNotEmpty();
  }

  /** Experts are balanced by each micro-batch; of dense models the same batch comes in parts. */
  @ParameterizedTest
  @CsvSource({
    "config.model.preset, tiny-moe, NUMBERS",
    "config.model.preset, tiny-llama, ROUNDING",
    "config.model.path, /where/nothing/is, NUMBERS",
    "config.logging.every_steps, 7, NUMBERS"
  })
  void aMicroBatchCountsByTheModel(String key, String value, Effect effect) {
    SortedMap<String, String> before =
        new TreeMap<>(Map.of(key, value, "config.training.micro_batch", "4"));
    SortedMap<String, String> after = new TreeMap<>(before);
    after.put("config.training.micro_batch", "2");
    assertThat(SnapshotComparison.of(before, after).gravest()).contains(effect);
  }

  @Test
  void whatNobodyKnowsCanChangeTheNumbers() {
    EffectTable.Verdict verdict = EffectTable.of("config.optimizers.momentum", true, false);
    assertThat(verdict.effect()).isEqualTo(Effect.NUMBERS);
    assertThat(verdict.known()).isFalse();
    assertThat(EffectTable.of("environment.SOMETHING_NEW", true, false).known()).isFalse();
  }

  @Test
  void aPathOfTheDataCountsAsItsKeysDo() {
    assertThat(EffectTable.of("config.data.sources", true, false).effect())
        .isEqualTo(Effect.NEITHER);
    assertThat(EffectTable.of("config.data.sources", false, false).effect())
        .isEqualTo(Effect.NUMBERS);
  }
}
