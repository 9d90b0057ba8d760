package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Every function in small, odd sizes; the experts' functions are in {@link ExpertTable}. */
final class FunctionTable {
  private final List<FunctionCase> cases = new ArrayList<>();

  private FunctionTable() {}

  static List<FunctionCase> cases() {
    FunctionTable table = new FunctionTable();
    table.basics();
    table.heads();
    table.attention();
    table.losses();
    table.wholePacks();
    table.cases.addAll(ExpertTable.cases());
    table.cases.addAll(LoraTable.cases());
    table.cases.addAll(PreferenceTable.cases());
    return table.cases;
  }

  private void add(String name, Consumer<Bench> setup) {
    cases.add(new FunctionCase(name, setup));
  }

  private static Variable[] one(Variable variable) {
    return new Variable[] {variable};
  }

  private void basics() {
    add(
        "linear",
        bench -> {
          Parameter weight = bench.parameter("w", 4, 5);
          bench.input(bench.random().coarse(2, 3, 5));
          bench.computing((tape, in) -> one(tape.apply(new Linear(weight), in[0])));
        });
    add(
        "linear with a residual",
        bench -> {
          Parameter weight = bench.parameter("w", 4, 5);
          bench.input(bench.random().coarse(2, 3, 5));
          bench.input(bench.random().coarse(2, 3, 4));
          bench.computing((tape, in) -> one(tape.apply(new Linear(weight), in[0], in[1])));
        });
    add(
        "linear twice with one weight",
        bench -> {
          Parameter weight = bench.parameter("w", 5, 5);
          bench.input(bench.random().coarse(3, 5));
          bench.computing(
              (tape, in) ->
                  one(tape.apply(new Linear(weight), tape.apply(new Linear(weight), in[0]))));
        });
    add(
        "embedding",
        bench -> {
          Parameter weight = bench.parameter("w", 6, 3);
          Tensor tokens = bench.random().indices(6, 2, 5);
          bench.computing((tape, in) -> one(tape.apply(new Embedding(weight, tokens))));
        });
    add(
        "rms norm",
        bench -> {
          Parameter weight = bench.parameter("w", 7);
          bench.input(bench.random().coarse(2, 3, 7));
          bench.computing((tape, in) -> one(tape.apply(new RmsNorm(weight, 1e-3), in[0])));
        });
    add(
        "add bias",
        bench -> {
          Parameter bias = bench.parameter("b", 5);
          bench.input(bench.random().coarse(4, 5));
          bench.computing((tape, in) -> one(tape.apply(new AddBias(bias), in[0])));
        });
    for (int width : new int[] {6, 16}) {
      add(
          "head norms of width " + width,
          bench -> {
            Parameter query = bench.parameter("q", width);
            Parameter key = bench.parameter("k", width);
            bench.input(bench.random().coarse(3, (4 + 2 * 2) * width));
            bench.computing(
                (tape, in) -> one(tape.apply(new HeadNorms(query, key, 1e-3, 2, width), in[0])));
          });
    }
    add(
        "swiglu",
        bench -> {
          bench.input(bench.random().coarse(3, 10));
          bench.computing((tape, in) -> one(tape.apply(new SwiGlu(), in[0])));
        });
    add(
        "swiglu with row weights",
        bench -> {
          bench.input(bench.random().coarse(4, 6));
          bench.input(bench.random().coarse(4, 1));
          bench.computing((tape, in) -> one(tape.apply(new SwiGlu(), in[0], in[1])));
        });
    add(
        "add",
        bench -> {
          bench.input(bench.random().coarse(3, 5));
          bench.input(bench.random().coarse(3, 5));
          bench.computing((tape, in) -> one(tape.apply(new Add(), in[0], in[1])));
        });
    add(
        "embedding noise",
        bench -> {
          bench.input(bench.random().coarse(3, 5));
          Tensor numbers = HostCopy.fromLongs(new long[] {9, 2, 7}, bench.random().device(), 3);
          bench.computing((tape, in) -> one(tape.apply(new EmbeddingNoise(3, 0.5, numbers), in)));
        });
    add(
        "add of a variable to itself, and once more",
        bench -> {
          bench.input(bench.random().coarse(3, 5));
          bench.computing(
              (tape, in) -> one(tape.apply(new Add(), tape.apply(new Add(), in[0], in[0]), in[0])));
        });
    add(
        "concatenate",
        bench -> {
          bench.input(bench.random().coarse(3, 2));
          bench.input(bench.random().coarse(3, 5));
          bench.computing((tape, in) -> one(tape.apply(new Concatenate(), in[0], in[1])));
        });
    add(
        "split columns",
        bench -> {
          bench.input(bench.random().coarse(4, 7));
          bench.computing((tape, in) -> tape.applyAll(new SplitColumns(3), in[0]));
        });
    for (int used = 0; used < 2; used++) {
      int output = used;
      add(
          "split columns, output " + output + " used only",
          bench -> {
            bench.input(bench.random().coarse(4, 7));
            bench.computing((tape, in) -> one(tape.applyAll(new SplitColumns(3), in[0])[output]));
          });
    }
  }

  private static RotaryTable rotary(Bench bench, int width, boolean interleaved) {
    float[] frequencies = new float[width / 2];
    for (int pair = 0; pair < frequencies.length; pair++) {
      frequencies[pair] = (float) Math.pow(10, -pair);
    }
    Dtype dtype = bench.random().dtype() == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32;
    return bench.owning(
        new RotaryTable(frequencies, 1.25, 9, interleaved, dtype, bench.random().device()));
  }

  private void heads() {
    for (boolean interleaved : new boolean[] {false, true}) {
      String layout = interleaved ? ", interleaved" : ", halves";
      add(
          "grouped-query heads" + layout,
          bench -> {
            RotaryTable rotary = rotary(bench, 6, interleaved);
            bench.input(bench.random().coarse(2 * 3, (4 + 2 * 2) * 6));
            bench.computing(
                (tape, in) -> tape.applyAll(new GroupedQueryHeads(2, 2, 6, rotary, 5), in[0]));
          });
      add(
          "latent heads" + layout,
          bench -> {
            RotaryTable rotary = rotary(bench, 4, interleaved);
            bench.input(bench.random().coarse(2 * 3, 3 * (5 + 4)));
            bench.input(bench.random().coarse(2 * 3, 3 * (5 + 2)));
            bench.input(bench.random().coarse(2 * 3, 4));
            bench.computing(
                (tape, in) ->
                    tape.applyAll(new LatentHeads(2, 5, 4, 2, rotary, 1, 1), in[0], in[1], in[2]));
          });
    }
  }

  private void attention() {
    attention("attention", 2, 3, 3, 5, 4, 4);
    attention("attention with grouped queries", 2, 6, 2, 4, 4, 4);
    attention("attention with a narrower value", 1, 4, 4, 5, 6, 3);
    attention("attention with grouped queries and a wider value", 1, 4, 2, 5, 2, 6);
    attention("attention of one token", 1, 2, 1, 1, 4, 4);
    long over = Attention.SHORT_SEQUENCE + 3;
    attention("attention over a long sequence", 1, 2, 2, over, 4, 4);
    attention("attention over a long sequence, grouped, narrow value", 2, 4, 2, over, 8, 5);
  }

  private void attention(
      String name, long batch, long heads, long kvHeads, long length, long width, long value) {
    add(
        name,
        bench -> {
          bench.input(bench.random().coarse(batch, heads, length, width));
          bench.input(bench.random().coarse(batch, kvHeads, length, width));
          bench.input(bench.random().coarse(batch, kvHeads, length, value));
          bench.computing((tape, in) -> one(tape.apply(new Attention(0.5), in[0], in[1], in[2])));
        });
  }

  /** Sizes that our CUDA kernels take: rows of whole 16-byte packs in every dtype. */
  private void wholePacks() {
    add(
        "linear, whole packs",
        bench -> {
          Parameter weight = bench.parameter("w", 24, 16);
          bench.input(bench.random().coarse(5, 16));
          bench.computing((tape, in) -> one(tape.apply(new Linear(weight), in[0])));
        });
    for (int width : new int[] {8, 40, 264}) {
      add(
          "rms norm, whole packs, " + width,
          bench -> {
            Parameter weight = bench.parameter("w", width);
            bench.input(bench.random().coarse(3, width));
            bench.computing((tape, in) -> one(tape.apply(new RmsNorm(weight, 1e-3), in[0])));
          });
    }
    add(
        "rms norm of two inputs with one weight, whole packs",
        bench -> {
          Parameter weight = bench.parameter("w", 16);
          bench.input(bench.random().coarse(3, 16));
          bench.computing(
              (tape, in) ->
                  one(
                      tape.apply(
                          new RmsNorm(weight, 1e-3),
                          tape.apply(new RmsNorm(weight, 1e-3), in[0]))));
        });
    add(
        "swiglu, whole packs",
        bench -> {
          bench.input(bench.random().coarse(3, 2 * 24));
          bench.computing((tape, in) -> one(tape.apply(new SwiGlu(), in[0])));
        });
    add(
        "swiglu with row weights, whole packs",
        bench -> {
          bench.input(bench.random().coarse(4, 2 * 16));
          bench.input(bench.random().coarse(4, 1));
          bench.computing((tape, in) -> one(tape.apply(new SwiGlu(), in[0], in[1])));
        });
    for (boolean interleaved : new boolean[] {false, true}) {
      String layout = interleaved ? ", interleaved" : ", halves";
      add(
          "grouped-query heads, whole packs" + layout,
          bench -> {
            RotaryTable rotary = rotary(bench, 16, interleaved);
            Parameter weight = bench.parameter("w", (4 + 2 * 2) * 16, 3);
            bench.input(bench.random().coarse(2 * 3, 3));
            bench.computing(
                (tape, in) ->
                    tape.applyAll(
                        new GroupedQueryHeads(2, 2, 16, rotary, 5),
                        tape.apply(new Linear(weight), in[0])));
          });
      add(
          "latent heads, whole packs" + layout,
          bench -> {
            RotaryTable rotary = rotary(bench, 16, interleaved);
            Parameter weight = bench.parameter("w", 3 * (8 + 16), 3);
            bench.input(bench.random().coarse(2 * 3, 3));
            bench.input(bench.random().coarse(2 * 3, 3 * (8 + 24)));
            bench.input(bench.random().coarse(2 * 3, 16));
            bench.computing(
                (tape, in) ->
                    tape.applyAll(
                        new LatentHeads(2, 8, 16, 24, rotary, 1, 1),
                        tape.apply(new Linear(weight), in[0]),
                        in[1],
                        in[2]));
          });
    }
    add(
        "linear cross-entropy, whole packs",
        bench -> {
          Parameter weight = bench.parameter("w", 40, 8);
          long[] targets = {3, LinearCrossEntropy.IGNORED, 38, 0, LinearCrossEntropy.IGNORED};
          Tensor target = HostCopy.fromLongs(targets, bench.random().device(), 5);
          bench.input(bench.random().coarse(5, 8));
          bench.withGradientScale(0.375);
          bench.computing(
              (tape, in) ->
                  one(
                      tape.apply(
                          new LinearCrossEntropy(new OutputProjection(weight), target, 0.375),
                          in[0])));
        });
    add(
        "embedding, whole packs",
        bench -> {
          Parameter weight = bench.parameter("w", 6, 24);
          Tensor tokens = bench.random().indices(6, 3, 7);
          bench.computing((tape, in) -> one(tape.apply(new Embedding(weight, tokens))));
        });
    attention("attention, whole packs", 2, 4, 4, 16, 16, 16);
    attention("attention, whole packs, grouped", 2, 4, 2, 16, 16, 16);
    attention("attention, whole packs, narrower value", 2, 2, 2, 16, 24, 16);
  }

  private void losses() {
    for (long rowsPerChunk : new long[] {1, 2, 100}) {
      add(
          "linear cross-entropy in chunks of " + rowsPerChunk,
          bench -> {
            Parameter weight = bench.parameter("w", 9, 4);
            long[] targets = {3, LinearCrossEntropy.IGNORED, 8, 0, LinearCrossEntropy.IGNORED};
            Tensor target = HostCopy.fromLongs(targets, bench.random().device(), 5);
            bench.input(bench.random().coarse(5, 4));
            bench.withGradientScale(0.375);
            bench.computing(
                (tape, in) ->
                    one(
                        tape.apply(
                            new LinearCrossEntropy(
                                new WholeVocabulary(
                                    new OutputProjection(weight), rowsPerChunk * 4 * 9),
                                target,
                                0.375),
                            in[0])));
          });
    }
  }
}
