package dev.duoka.diagnosis.verdict;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.diagnosis.log.LogLine;
import dev.duoka.diagnosis.rule.LineKinds;
import dev.duoka.diagnosis.rule.Role;
import dev.duoka.diagnosis.rule.Rule;
import dev.duoka.diagnosis.rule.RuleBook;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The example that each rule carries, alone and as logs really look. */
final class RuleExampleTests {
  private static final long SEED = 20261123;

  static Stream<String> rules() {
    return RuleBook.standard().rules().stream()
        .filter(rule -> rule.role().canStandAlone())
        .map(Rule::id)
        // Its lines are always read as one of the rules that are decided from all ranks.
        .filter(id -> !id.equals(Watchdog.TIME_OUT));
  }

  @ParameterizedTest
  @MethodSource("rules")
  void theExampleAlone(String id) {
    expect(id, Logs.diagnose(example(id) + "\n"));
  }

  @ParameterizedTest
  @MethodSource("rules")
  void amongTheLinesOfARunThatWasFineUntilThen(String id) {
    Random random = new Random(SEED + id.hashCode());
    List<String> lines = new ArrayList<>(Logs.healthy(random, 300));
    for (String line : example(id).lines().toList()) {
      lines.add(line);
      lines.addAll(withoutSteps(random, 2));
    }
    Rule rule = RuleBook.standard().rule(id);
    if (rule.decidedBy().filter(by -> by.equals("silence")).isPresent()) {
      return; // these are about a log that ends there
    }
    expect(id, Logs.diagnose(String.join("\n", lines)));
  }

  @ParameterizedTest
  @MethodSource("rules")
  void withColoursAndForeignLineEndsAndCutOff(String id) {
    String coloured =
        example(id)
            .lines()
            .map(line -> "\u001b[1;31m" + line + "\u001b[0m")
            .collect(Collectors.joining("\r\n"));
    expect(id, Logs.diagnose("starting\r\n" + coloured));
  }

  @ParameterizedTest
  @MethodSource("rules")
  void behindThePrefixesOfLaunchersAndContainers(String id) {
    Rule rule = RuleBook.standard().rule(id);
    boolean ranksMatter = rule.decidedBy().isPresent() || !rule.where().isEmpty();
    for (String prefix :
        List.of(
            "5: ",
            "[1,5]<stderr>:",
            "2026-11-02T08:11:12.123456789Z stderr F ",
            "gpu17: ",
            "(RayTrainWorker pid=4711, ip=10.0.0.5) ",
            "> ")) {
      if (ranksMatter && prefix.contains("5") && !prefix.contains("ip=")) {
        continue; // these prefixes say that one rank printed all lines
      }
      String log = example(id).lines().map(line -> prefix + line).collect(Collectors.joining("\n"));
      Diagnosis diagnosis = Logs.diagnose(log + "\n");
      assertThat(diagnosis.findings()).as(prefix).isNotEmpty();
      assertThat(name(diagnosis)).as(prefix).matches(nameOf(id));
    }
  }

  @ParameterizedTest
  @MethodSource("rules")
  void aRootCauseBeatsWhatLaunchersSayAfterwards(String id) {
    if (RuleBook.standard().rule(id).role() != Role.ROOT) {
      return;
    }
    expect(
        id,
        Logs.diagnose(
            example(id)
                + """

                [rank6]: torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:1970, remote process exited or there was a network error
                RuntimeError: [../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [10.0.0.4]:20411
                E1120 08:12:44.102000 23117 torch/distributed/elastic/multiprocessing/api.py:874] failed (exitcode: 1) local_rank: 0 (pid: 23190) of binary: /usr/bin/python3
                torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
                srun: error: n11: tasks 1-7: Killed
                """));
  }

  /** A step would show that the run went on. */
  private static List<String> withoutSteps(Random random, int lines) {
    return Logs.healthy(random, lines).stream()
        .filter(line -> LineKinds.progress(LogLine.of(line).body()).isEmpty())
        .toList();
  }

  private static String example(String id) {
    return RuleBook.standard().rule(id).example();
  }

  private static String name(Diagnosis diagnosis) {
    return diagnosis.findings().getFirst().rootCause();
  }

  private static Pattern nameOf(String id) {
    return Pattern.compile(id.replaceAll("\\{\\w+\\}", "\\\\w+"));
  }

  private static void expect(String id, Diagnosis diagnosis) {
    assertThat(diagnosis.findings()).isNotEmpty();
    assertThat(name(diagnosis)).matches(nameOf(id));
    Finding best = diagnosis.findings().getFirst();
    assertThat(best.what()).isNotBlank().doesNotContain("{");
    assertThat(best.fix()).isNotBlank();
    assertThat(best.decisive().text()).isNotBlank().doesNotContain("\u001b");
  }
}
