package dev.duoka.diagnosis.rule;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.diagnosis.log.LogLine;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class LineKindsTests {
  static Stream<ProgressRule> progress() {
    return LineKinds.progress().stream();
  }

  static Stream<Mention> mentions() {
    return Stream.of(LineKinds.mentions(), LineKinds.handled(), LineKinds.chained())
        .flatMap(List::stream);
  }

  @ParameterizedTest
  @MethodSource("progress")
  void examplesOfProgressAreKnown(ProgressRule rule) {
    assertThat(rule.sources()).isNotEmpty();
    assertThat(rule.examples())
        .isNotEmpty()
        .allMatch(rule::knows)
        .allMatch(
            line ->
                rule.patterns().stream()
                    .flatMap(pattern -> pattern.words().stream())
                    .anyMatch(word -> line.toLowerCase(java.util.Locale.ROOT).contains(word)));
  }

  @ParameterizedTest
  @MethodSource("mentions")
  void examplesOfMentionsAreKnown(Mention mention) {
    assertThat(mention.sources()).isNotEmpty();
    assertThat(mention.examples())
        .isNotEmpty()
        .allMatch(line -> mention.knows(LogLine.of(line).body()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "step 12 loss nan",
        "{'loss': 0.0, 'grad_norm': nan, 'learning_rate': 1e-05, 'epoch': 0.2}",
        "OVERFLOW! Rank 0 Skipping step. Attempted loss scale: 65536, reducing to 32768",
        "Training finished with errors",
        "will stop when training is complete",
        "Process 70001 exits successfully, exit code 0",
        "comm 0x1 rank 0 nranks 4 cudaDev 0 busId 1000 - Init COMPLETE",
        "loading shards: loss table 3",
      })
  void whatProvesNothingIsNoProgress(String line) {
    assertThat(LineKinds.progress(line)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ERROR: training failed, exiting",
        "2026-01-07 10:11:12 CRITICAL uncaught exception",
        "step 12 loss 2.5",
        "[E ProcessGroupNCCL.cpp:607] [Rank 0] Watchdog caught collective operation timeout",
        "warnings.warn(",
      })
  void whatIsInFrontOfAnExceptionThatEndsTheProgramDoesNotHandleIt(String line) {
    assertThat(LineKinds.isHandled(line)).isFalse();
  }

  @Test
  void noExampleOfARuleIsAMereMentionOrProgress() {
    for (Rule rule : RuleBook.standard().rules()) {
      String last = rule.example().stripTrailing().lines().reduce("", (a, b) -> b);
      assertThat(LineKinds.isMention(LogLine.of(last).body())).as(rule.id()).isFalse();
    }
  }
}
