package dev.duoka.experiment.trial;

import dev.duoka.experiment.arm.ArmSteps;
import dev.duoka.experiment.arm.SwappedArms;
import dev.duoka.experiment.arm.TurnPlan;
import dev.duoka.experiment.verdict.Judgement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Says what the steps of a trial's arms show.
 *
 * @param plan how they were trained
 * @param known earlier trials, for what the model differs from itself by
 */
record TrialJudge(
    TrialRequest request, TrialSubject subject, TurnPlan plan, List<TrialResult> known) {
  TrialJudge {
    known = List.copyOf(known);
  }

  /**
   * Of arms that were on the device together.
   *
   * @param arms as it is, changed unless nothing was, and as it is again where that was asked for
   */
  TrialResult of(List<ArmSteps> arms) {
    Comparison comparison = new Comparison(plan, List.of());
    List<List<Judgement>> itself =
        new ArrayList<>(TrialResult.ofItself(known, subject.model(), plan.steps()));
    ArmSteps base = arms.getFirst();
    if (request.isOfItself()) {
      return result(
          comparison.ofItself(base, arms.getLast(), Margins.of(itself)),
          Optional.empty(),
          Optional.empty());
    }
    Optional<List<Judgement>> again =
        arms.size() < 3
            ? Optional.empty()
            : Optional.of(comparison.ofItself(base, arms.get(2), Margins.of(itself)));
    again.ifPresent(itself::add);
    return result(
        comparison.of(base, arms.get(1), Margins.of(itself), subject.noLoss()),
        again,
        Optional.empty());
  }

  /** Of arms that were there one at a time. */
  TrialResult ofHalves(SwappedArms.Trained trained) {
    Comparison comparison =
        new Comparison(plan, trained.keepsStates() ? List.of(plan.firstOfSecondHalf()) : List.of());
    TrialSubject of = trained.keepsStates() ? subject : subject.withoutLoss(SwappedArms.NO_STATES);
    return result(
        comparison.of(
            trained.arms().getFirst(),
            trained.arms().getLast(),
            Margins.of(TrialResult.ofItself(known, subject.model(), plan.steps())),
            of.noLoss()),
        Optional.empty(),
        Optional.empty());
  }

  /** Of a change with which the run file does not train. */
  TrialResult cannotRun(String reason) {
    return result(List.of(), Optional.empty(), Optional.of(reason));
  }

  private TrialResult result(
      List<Judgement> judgements, Optional<List<Judgement>> itself, Optional<String> cannotRun) {
    return new TrialResult(
        Instant.now(),
        request.runFile().toAbsolutePath().normalize(),
        subject.model(),
        request.change(),
        subject.changes(),
        plan.first(),
        plan.steps(),
        judgements,
        itself,
        cannotRun,
        request.folder().toAbsolutePath());
  }
}
