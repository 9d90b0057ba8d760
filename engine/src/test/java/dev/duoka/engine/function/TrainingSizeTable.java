package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.LongStream;

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
    cases.add(jointAdapters(1));
    cases.add(jointAdapters(0.75));
    cases.add(adaptedHead(200, 4104));
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

  /** As queries, keys and values have them: of one width, whose gradients come from one pass. */
  private static FunctionCase jointAdapters(double keep) {
    return new FunctionCase(
        "joint adapters of 300 rows, kept " + keep,
        bench -> {
          Parameter weight = bench.frozen("w", 64, 48);
          Lora lora =
              new Lora(
                  bench.parameter("a", 48, 48),
                  List.of(
                      new Lora.Part(bench.parameter("q", 32, 16), null, 0.5, 0, 0),
                      new Lora.Part(bench.parameter("k", 16, 16), null, 0.5, 16, 32),
                      new Lora.Part(bench.parameter("v", 16, 16), null, 0.5, 32, 48)),
                  keep);
          bench.input(bench.random().coarse(300, 48));
          LoraDropout dropout = keep == 1 ? null : new LoraDropout(3, numbers(bench, 300));
          bench.computing(
              (tape, in) -> new Variable[] {tape.apply(new Linear(weight, lora, dropout), in)});
        });
  }

  private static Tensor numbers(Bench bench, int count) {
    return HostCopy.fromLongs(LongStream.range(0, count).toArray(), bench.random().device(), count);
  }

  private static FunctionCase adaptedHead(int rows, int vocabulary) {
    return new FunctionCase(
        String.format(Locale.ROOT, "head with an adapter, %d × %d", rows, vocabulary),
        bench -> {
          Parameter weight = bench.frozen("w", vocabulary, 16);
          Lora.Part part = new Lora.Part(bench.parameter("b", vocabulary, 16), null, 0.25, 0, 0);
          Lora lora = new Lora(bench.parameter("a", 16, 16), List.of(part), 1);
          long[] targets = LongStream.range(0, rows).map(i -> vocabulary - 1 - 7 * i).toArray();
          Tensor target = HostCopy.fromLongs(targets, bench.random().device(), rows);
          bench.input(bench.random().coarse(rows, 16));
          bench.withGradientScale(0.375);
          OutputProjection projection = new OutputProjection(weight, lora, null);
          bench.computing(
              (tape, in) ->
                  new Variable[] {
                    tape.apply(new LinearCrossEntropy(projection, target, 0.375), in[0])
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
