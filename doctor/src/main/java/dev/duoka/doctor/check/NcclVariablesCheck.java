package dev.duoka.doctor.check;

import dev.duoka.doctor.nccl.NcclExplainer;
import dev.duoka.doctor.nccl.NcclVerdict;
import java.util.Optional;
import java.util.SortedMap;

/** Variables of NCCL that are set, and what each does on this machine. */
final class NcclVariablesCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "nccl-variables",
          "Environment variables of NCCL",
          "the environment, the topology",
          "warning for harmful, wrong and misspelt ones, a note for those without effect here");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    Optional<SortedMap<String, String>> environment =
        out.known("environment", machine.machine().environment());
    if (environment.isEmpty()) {
      return;
    }
    NcclExplainer explainer = new NcclExplainer(machine.topology());
    for (NcclVerdict verdict : explainer.explainAll(environment.get())) {
      if (verdict.kind().isFinding()) {
        out.add(
            severity(verdict.kind()),
            verdict.name() + "=" + verdict.value(),
            verdict.explanation(),
            "unset " + verdict.name() + verdict.remedy().map(text -> "   # " + text).orElse(""));
      }
    }
  }

  private static Severity severity(NcclVerdict.Kind kind) {
    return switch (kind) {
      case HARMFUL, WRONG_NAME, WRONG_VALUE, MISSPELT -> Severity.WARNING;
      case USELESS_HERE, UNKNOWN, USEFUL, HARMLESS -> Severity.NOTE;
    };
  }
}
