package dev.duoka.parallel.state;

import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.tensor.kernel.ChanceBits;
import dev.duoka.tensor.kernel.ElementRuns;
import dev.duoka.tensor.kernel.ElementRuns.Run;
import java.util.ArrayList;
import java.util.List;

/** Which elements of the whole weights a slice of a bucket holds. */
final class SliceElements {
  private final long offset;
  private final long end;
  private final List<Run> runs = new ArrayList<>();

  private SliceElements(long offset, long length) {
    this.offset = offset;
    this.end = offset + length;
  }

  /**
   * The elements of a slice.
   *
   * @param parameters of the bucket
   * @param offset where the slice starts in the bucket
   */
  static ElementRuns of(List<Parameter> parameters, long offset, long length) {
    SliceElements elements = new SliceElements(offset, length);
    parameters.forEach(elements::add);
    return new ElementRuns(elements.runs);
  }

  private void add(Parameter parameter) {
    Portion portion = parameter.spec().portion();
    long name = ChanceBits.ofName(parameter.name());
    long held = portion.stretches().stream().mapToLong(Portion.Stretch::length).sum();
    if (portion.isAll()) {
      add(parameter.offset(), parameter.spec().elements(), new Run(0, name, 0, 0, 0, 0));
    } else if (portion.dimension() == 0) {
      long unit = parameter.spec().elements() / held;
      for (Portion.Stretch stretch : portion.stretches()) {
        add(
            parameter.offset() + stretch.to() * unit,
            stretch.length() * unit,
            new Run(0, name, 0, stretch.from() * unit, 0, 0));
      }
    } else if (portion.stretches().size() == 1) {
      long first = portion.stretches().getFirst().from();
      add(
          parameter.offset(),
          parameter.spec().elements(),
          new Run(0, name, 0, first, held, portion.columns()));
    } else {
      throw new IllegalStateException(parameter + " is cut by columns into several stretches");
    }
  }

  /** Adds what of a run from {@code start} of the bucket on lies in the slice. */
  private void add(long start, long length, Run run) {
    long low = Math.max(start, offset);
    if (low < Math.min(start + length, end)) {
      runs.add(new Run(low - offset, run.name(), low - start, run.first(), run.held(), run.row()));
    }
  }
}
