package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** Layers with adapters. */
final class LoraTable {
  private static final long IN = 5;

  private LoraTable() {}

  static List<FunctionCase> cases() {
    List<FunctionCase> cases = new ArrayList<>();
    cases.add(linear("linear with an adapter", 1, false));
    cases.add(linear("linear with an adapter and a residual", 1, true));
    cases.add(linear("linear with an adapter with dropout", 0.6, true));
    cases.add(experts());
    cases.add(dora(false));
    cases.add(dora(true));
    cases.add(head("head with an adapter", 1, 9, 1, false));
    cases.add(head("head with an adapter with dropout, in chunks", 0.6, 9, 2, false));
    cases.add(head("head with an adapter with magnitudes, in chunks", 1, 9, 2, true));
    cases.add(head("head with an adapter, whole packs", 0.6, 40, 100, false));
    return cases;
  }

  /**
   * Of nine outputs the first four and the last three have adapters, of other widths and scales.
   */
  private static Lora lora(Bench bench, double keep, boolean magnitudes) {
    Parameter down = bench.parameter("a", 5, IN);
    return new Lora(
        down,
        List.of(
            new Lora.Part(
                bench.parameter("b1", 4, 2), magnitude(bench, "m1", 4, magnitudes), 1.5, 0, 0),
            new Lora.Part(
                bench.parameter("b2", 3, 3), magnitude(bench, "m2", 3, magnitudes), 0.25, 2, 6)),
        keep);
  }

  private static @Nullable Parameter magnitude(
      Bench bench, String name, long width, boolean magnitudes) {
    return magnitudes ? bench.parameter(name, width) : null;
  }

  private static FunctionCase linear(String name, double keep, boolean residual) {
    return new FunctionCase(
        name,
        bench -> {
          Parameter weight = bench.frozen("w", 9, IN);
          Lora lora = lora(bench, keep, false);
          bench.input(bench.random().coarse(2, 3, IN));
          if (residual) {
            bench.input(bench.random().coarse(2, 3, 9));
          }
          Tensor tokens =
              HostCopy.fromLongs(new long[] {7, 8, 9, 20, 21, 22}, bench.random().device(), 6);
          LoraDropout dropout = keep == 1 ? null : new LoraDropout(3, tokens);
          bench.computing(
              (tape, in) -> new Variable[] {tape.apply(new Linear(weight, lora, dropout), in)});
        });
  }

  private static FunctionCase head(
      String name, double keep, long vocabulary, long rowsPerChunk, boolean magnitudes) {
    return new FunctionCase(
        name,
        bench -> {
          OutputProjection projection = head(bench, vocabulary, 8, keep, magnitudes);
          long[] targets = {3, LinearCrossEntropy.IGNORED, 8, 0, LinearCrossEntropy.IGNORED, 1};
          Tensor target = HostCopy.fromLongs(targets, bench.random().device(), targets.length);
          bench.input(bench.random().coarse(targets.length, 8));
          bench.withGradientScale(0.375);
          WholeVocabulary rows = new WholeVocabulary(projection, rowsPerChunk * 4 * vocabulary);
          bench.computing(
              (tape, in) ->
                  new Variable[] {tape.apply(new LinearCrossEntropy(rows, target, 0.375), in[0])});
        });
  }

  /**
   * A frozen head with an adapter. With magnitudes the matrices are frozen too: norms count as
   * constant.
   */
  static OutputProjection head(
      Bench bench, long vocabulary, long hidden, double keep, boolean magnitudes) {
    Parameter weight = bench.frozen("w", vocabulary, hidden);
    Lora lora =
        new Lora(
            magnitudes ? bench.frozen("a", 2, hidden) : bench.parameter("a", 2, hidden),
            List.of(
                new Lora.Part(
                    magnitudes
                        ? bench.frozen("b", vocabulary, 2)
                        : bench.parameter("b", vocabulary, 2),
                    magnitude(bench, "m", vocabulary, magnitudes),
                    1.5,
                    0,
                    0)),
            keep);
    long[] numbers = LongStream.range(20, 40).toArray();
    Tensor tokens = HostCopy.fromLongs(numbers, bench.random().device(), numbers.length);
    return new OutputProjection(weight, lora, keep == 1 ? null : new LoraDropout(3, tokens));
  }

  private static FunctionCase experts() {
    return new FunctionCase(
        "grouped linear with adapters",
        bench -> {
          long[] chosen = {2, 0, 0, 2, 2, 0};
          Routing routing =
              Routing.of(
                  HostCopy.fromLongs(chosen, bench.random().device(), 6, 1),
                  3,
                  bench.random().dtype());
          Parameter weight = bench.frozen("w", 3, 8, 16);
          Lora lora =
              new Lora(
                  bench.parameter("a", 3, 4, 16),
                  List.of(new Lora.Part(bench.parameter("b", 3, 8, 4), null, 0.5, 0, 0)),
                  1);
          bench.input(bench.random().coarse(6, 16));
          bench.computing(
              (tape, in) ->
                  new Variable[] {tape.apply(new GroupedLinear(weight, lora, routing), in)});
        });
  }

  /** The norm counts as constant, so neither the weight nor the matrices are differentiated. */
  private static FunctionCase dora(boolean residual) {
    return new FunctionCase(
        "dora scale" + (residual ? " with a residual" : ""),
        bench -> {
          Parameter weight = bench.frozen("w", 9, IN);
          Lora lora =
              new Lora(
                  bench.frozen("a", 5, IN),
                  List.of(
                      new Lora.Part(bench.frozen("b1", 4, 2), bench.parameter("m1", 4), 1.5, 0, 0),
                      new Lora.Part(bench.frozen("b2", 3, 3), null, 0.25, 2, 6)),
                  1);
          bench.input(bench.random().coarse(2, 9));
          if (residual) {
            bench.input(bench.random().coarse(2, 9));
          }
          bench.computing(
              (tape, in) -> new Variable[] {tape.apply(new DoraScale(weight, lora), in)});
        });
  }
}
