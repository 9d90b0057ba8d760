package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The functions of element-wise CUDA kernels at widths of real models and at more rows than blocks:
 * their loops over packs, and over rows, go round more than once. Too large for finite differences.
 */
final class TrainingSizeTable {
  private TrainingSizeTable() {}

  static List<FunctionCase> cases() {
    List<FunctionCase> cases = new ArrayList<>();
    cases.add(norm(5, 5120));
    cases.add(norm(3, 7168));
    cases.add(norm(1100, 64)); // more rows than a backward pass has blocks
    cases.add(crossEntropy(3, 4104)); // one pack more than a block of 512 threads has in bf16
    cases.add(crossEntropy(5, 32_256));
    cases.add(swiGlu(3, 5504, false));
    cases.add(swiGlu(3, 5504, true));
    return cases;
  }

  private static FunctionCase norm(int rows, int width) {
    return new FunctionCase(
        String.format(Locale.ROOT, "rms norm, %d × %d", rows, width),
        bench -> {
          Parameter weight = bench.parameter("w", width);
          bench.input(bench.random().coarse(rows, width));
          bench.computing(
              (tape, in) -> new Variable[] {tape.apply(new RmsNorm(weight, 1e-3), in[0])});
        });
  }

  private static FunctionCase crossEntropy(int rows, int vocabulary) {
    return new FunctionCase(
        String.format(Locale.ROOT, "linear cross-entropy, %d × %d", rows, vocabulary),
        bench -> {
          Parameter weight = bench.parameter("w", vocabulary, 8);
          long[] targets = new long[rows];
          for (int i = 0; i < rows; i++) { // the last columns, the ignored row, the first column
            targets[i] = i == 1 ? LinearCrossEntropy.IGNORED : i == 2 ? 0 : vocabulary - 1L - i;
          }
          Tensor target = HostCopy.fromLongs(targets, bench.random().device(), rows);
          bench.input(bench.random().coarse(rows, 8));
          bench.withGradientScale(0.375);
          bench.computing(
              (tape, in) ->
                  new Variable[] {
                    tape.apply(
                        new LinearCrossEntropy(new OutputProjection(weight), target, 0.375), in[0])
                  });
        });
  }

  private static FunctionCase swiGlu(int rows, int width, boolean weighted) {
    return new FunctionCase(
        String.format(
            Locale.ROOT,
            "swiglu%s, %d × (2 · %d)",
            weighted ? " with row weights" : "",
            rows,
            width),
        bench -> {
          bench.input(bench.random().coarse(rows, 2L * width));
          if (weighted) {
            bench.input(bench.random().coarse(rows, 1));
          }
          bench.computing((tape, in) -> new Variable[] {tape.apply(new SwiGlu(), in)});
        });
  }
}
