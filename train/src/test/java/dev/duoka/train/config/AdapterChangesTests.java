package dev.duoka.train.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.train.config.binding.FieldChange;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AdapterChangesTests {
  private static final String FIRST = "rank: 8, modules: [q_proj]";

  private static AdapterConfig adapter(String section) {
    RunConfig config =
        RunFile.parse(
            "run.yaml",
            """
            model: {path: nowhere, load_weights: true}
            data: {sources: [nowhere], sequence_length: 64}
            training: {tokens_per_step: 1024, steps: 3}
            adapter: {%s}
            """
                .formatted(section),
            List.of());
    return config.adapter().orElseThrow().config();
  }

  private static List<String> between(AdapterConfig first, AdapterConfig second) {
    return AdapterChanges.between(first, second).stream().map(FieldChange::toString).toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "rank: 16, modules: [q_proj] | adapter.rank: 8 → 16",
        "rank: 16, alpha: 16, modules: [q_proj] | adapter.rank: 8 → 16",
        "rank: 8, alpha: 8, modules: [q_proj] | adapter.alpha: 16.0 → 8.0",
        "rank: 8, dropout: 0.1, modules: [q_proj] | adapter.dropout: 0.0 → 0.1",
        "rank: 8, rslora: true, modules: [q_proj] | adapter.rslora: false → true",
        "rank: 8, dora: true, modules: [q_proj] | adapter.dora: false → true",
        "rank: 8, modules: [q_proj, v_proj] | adapter.modules: [q_proj] → [q_proj, v_proj]",
        "rank: 8 | adapter.modules: [q_proj] → [all-linear]",
        "rank: 8, modules_matching: '.*q_proj' | adapter.modules: [q_proj] → not set;"
            + " adapter.modules_matching: not set → .*q_proj",
        "rank: 8, modules: [q_proj], exclude: [layers.0.self_attn.q_proj]"
            + " | adapter.exclude: not set → [layers.0.self_attn.q_proj]",
        "rank: 8, modules: [q_proj], experts: [down_proj]"
            + " | adapter.experts: not set → [down_proj]",
        "rank: 8, modules: [q_proj], train_whole: [lm_head]"
            + " | adapter.train_whole: not set → [lm_head]",
        "rank: 8, modules: [q_proj], rank_pattern: {q_proj: 4}"
            + " | adapter.rank_pattern.q_proj: not set → 4",
        "rank: 8, modules: [q_proj], alpha_pattern: {q_proj: 4}"
            + " | adapter.alpha_pattern.q_proj: not set → 4.0",
        "rank: 8, modules: [q_proj], base: nf4 | adapter.base: dense → nf4",
        "rank: 4, dora: true, modules: [q_proj]"
            + " | adapter.dora: false → true; adapter.rank: 8 → 4",
      })
  void onlyWhatDiffersIsNamed(String second, String changes) {
    AdapterConfig first = adapter(FIRST);
    AdapterConfig other = adapter(second);
    assertThat(String.join("; ", between(first, other))).isEqualTo(changes);
    assertThat(between(other, first)).hasSameSizeAs(between(first, other));
    assertThat(between(other, other)).isEmpty();
  }

  /** The first that fits counts. */
  @Test
  void patternsInAnotherOrderAreOthers() {
    AdapterConfig first = adapter("rank: 8, alpha_pattern: {'.*_proj': 4, q_proj: 8}");
    AdapterConfig second = adapter("rank: 8, alpha_pattern: {q_proj: 8, '.*_proj': 4}");
    assertThat(second).isNotEqualTo(first).isEqualTo(second);
    assertThat(between(first, second))
        .containsExactly("adapter.alpha_pattern: .*_proj, q_proj → q_proj, .*_proj");
  }

  /** What PEFT's file can say and a run file has no field for. */
  private static AdapterConfig ofPath(List<Integer> layers, NamePatterns excluded) {
    return new AdapterConfig(
        8,
        16,
        0,
        false,
        false,
        new NamePatterns.AllLinear(),
        excluded,
        List.of(),
        layers,
        Map.of(),
        Map.of(),
        List.of(),
        BaseForm.DENSE);
  }

  @Test
  void whatAnAdaptersFolderAloneSaysIsNamedToo() {
    AdapterConfig all = ofPath(List.of(), NamePatterns.NONE);
    assertThat(between(all, ofPath(List.of(0, 2), NamePatterns.NONE)))
        .containsExactly("layers_to_transform of adapter.path: all → [0, 2]");
    assertThat(between(all, ofPath(List.of(), new NamePatterns.Whole(".*q_proj"))))
        .containsExactly("adapter.exclude: not set → [the expression .*q_proj]");
  }

  @Test
  void theBasesFormAloneIsToldApart() {
    AdapterConfig first = adapter(FIRST);
    List<FieldChange> form = AdapterChanges.between(first, first.on(BaseForm.NF4_SINGLE));
    assertThat(form.stream().map(it -> it.text("a", "b")))
        .containsExactly(
            "adapter.base dense in a, nf4 in b",
            "adapter.double_quantization true in a, false in b");
    assertThat(AdapterChanges.areOfBase(form)).isTrue();
    assertThat(
            AdapterChanges.areOfBase(
                AdapterChanges.between(first, adapter("rank: 4").on(BaseForm.NF4))))
        .isFalse();
  }
}
