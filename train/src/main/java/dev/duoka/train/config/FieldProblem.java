package dev.duoka.train.config;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.List;

/**
 * Something wrong with a run file that its text alone does not show.
 *
 * @param field the dotted path of the field that is to blame
 * @param problem what is wrong, without the final period
 * @param remedy what to do; empty for none
 */
public record FieldProblem(String field, String problem, String remedy) {
  /**
   * Refuses what has problems.
   *
   * @param what is refused, for example {@code the run}
   * @throws DuokaException with {@link ErrorCode#CONFIG} and all of them
   */
  public static void throwIfAny(String what, List<FieldProblem> problems) {
    if (problems.size() == 1) {
      FieldProblem only = problems.getFirst();
      throw new DuokaException(ErrorCode.CONFIG, only.problem(), only.remedy());
    }
    if (!problems.isEmpty()) {
      StringBuilder text = new StringBuilder(problems.size() + " problems with " + what + ":");
      problems.forEach(
          each -> text.append("\n  ").append(each.problem()).append(". ").append(each.remedy()));
      throw new DuokaException(ErrorCode.CONFIG, text.toString(), "");
    }
  }
}
