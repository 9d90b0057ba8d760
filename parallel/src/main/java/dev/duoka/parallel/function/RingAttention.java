package dev.duoka.parallel.function;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.function.Attention;
import dev.duoka.engine.function.Documents;
import dev.duoka.engine.function.PartialAttention;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Causal {@link Attention} of sequences that are cut over the ranks of a group by {@link
 * ContextChunks} (Liu et al., Ring Attention, arXiv:2310.01889): keys and values go round while
 * each rank computes with those it has, and their gradients are sent to where they belong.
 *
 * <p>A rank's own keys are seen causally. Of a rank before it every query sees the earlier half, of
 * a rank behind it the later half of the queries sees all: half of the pairs each time. Where
 * documents are kept apart, of those only what lies in the same document. Collective, both ways.
 */
final class RingAttention extends Function {
  private final Attention whole;
  private final Communicator group;

  RingAttention(Attention whole, Communicator group) {
    this.whole = whole;
    this.group = group;
  }

  @Override
  public String name() {
    return whole.name();
  }

  /** Half of all pairs: of the own keys by causality, of the others by their place. */
  @Override
  public double flops(Tensor[] inputs, Tensor[] outputs) {
    return whole.flops(inputs, outputs) * group.size();
  }

  /** With the keys of all ranks, which this rank's queries meet one after the other. */
  @Override
  public ProductShape productShape(Tensor[] inputs) {
    return whole.productShape(inputs).withKeys(inputs[1].size(2) * group.size());
  }

  /**
   * What it takes to put the results for each rank's keys together, and their gradients: those of
   * the last rank, all of whose queries meet keys of every other, and for which the others wait.
   */
  @Override
  public double bytesBeside(Phase phase, Tensor[] inputs, Tensor[] outputs) {
    double queries = inputs[0].elements();
    double results = queries / inputs[0].size(3) * inputs[2].size(3);
    double keys = (double) inputs[1].elements() + inputs[2].elements();
    int narrow = inputs[0].dtype().bytes();
    int wide = wide(inputs[0].dtype()).bytes();
    int ranks = group.size();
    // Keys of the rank's own, and of each other one the half that its queries see.
    double met = keys * (1 + (ranks - 1) / 2.0);
    return switch (phase) {
      case FORWARD ->
          2 * keys * narrow // joined
              + ranks * results * Merged.bytes(narrow, wide)
              + results * (wide + wide + narrow); // begun with zeros, and brought into the dtype
      case INPUT_GRADIENTS ->
          2 * keys * narrow
              + ranks * queries * (narrow + 2 * wide) // added to those of the queries
              + 2 * met * narrow // of keys and values joined
              + ranks * keys * (narrow + 2 * wide) // the rank's own from all ranks, added
              + (queries + keys) * wide // begun with zeros
              + (queries + keys) * (wide + narrow)
              + 2 * keys * wide; // keys and values apart
      case WEIGHT_GRADIENTS, UPDATE -> 0;
    };
  }

  @Override
  public double inputGradientRatio() {
    return whole.inputGradientRatio();
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    try {
      return attend(saved, inputs);
    } catch (Throwable t) { // of whatever kind
      abort(t);
      throw t;
    }
  }

  /** What is on its way goes with the scope in which this fails, so nobody may touch it then. */
  private void abort(Throwable cause) {
    group.abort("a rank failed in its ring attention: " + cause);
  }

  private Tensor[] attend(SavedTensors saved, Tensor... inputs) {
    Tensor query = inputs[0];
    Tensor keyValue = joint(inputs[1], inputs[2]);
    Merged merged = new Merged(query, inputs[2].size(3));
    Ring ring = new Ring(keyValue);
    for (int step = 0; step < group.size(); step++) {
      Tensor here = ring.current();
      ring.sendOn(step);
      for (Pairs pairs : pairs(source(step), query)) {
        try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
          Tensor[] part =
              PartialAttention.forward(
                  pairs.queries(query),
                  pairs.keys(key(here, query)),
                  pairs.keys(value(here, query)),
                  pairs.causal(),
                  whole.scale(),
                  whole.documents() != null);
          merged.add(pairs, part[0], part[1]);
        }
      }
      ring.next(step);
    }
    ring.joinSends();
    saved.saveInput("query", 0);
    saved.saveInput("key", 1);
    saved.saveInput("value", 2);
    Tensor output = merged.output(query.dtype());
    saved.save("output", output);
    saved.save("log sums", merged.logSums);
    Tensor tokensFirst = Views.dense(Views.transpose(output, 1, 2));
    return new Tensor[] {
      Views.reshape(
          tokensFirst,
          tokensFirst.size(0) * tokensFirst.size(1),
          tokensFirst.size(2) * tokensFirst.size(3))
    };
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    try {
      return gradients(saved, gradOutputs);
    } catch (Throwable t) { // of whatever kind
      abort(t);
      throw t;
    }
  }

  private @Nullable Tensor[] gradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor query = saved.get("query");
    Tensor output = saved.get("output");
    Tensor logSums = saved.get("log sums");
    Tensor keyValue = joint(saved.get("key"), saved.get("value"));
    Tensor gradient =
        Views.transpose(
            Views.reshape(
                Views.dense(only(gradOutputs)),
                query.size(0),
                query.size(2),
                query.size(1),
                output.size(3)),
            1,
            2);
    Dtype wide = wide(query.dtype());
    Tensor queryGradient = Tensors.zeros(wide, query.device(), query.shape());
    Tensor keyValueGradient = Tensors.zeros(wide, keyValue.device(), keyValue.shape());
    List<Pending> sends = new ArrayList<>();
    Ring ring = new Ring(keyValue);
    for (int step = 0; step < group.size(); step++) {
      Tensor here = ring.current();
      ring.sendOn(step);
      Tensor ofKeys = null;
      List<Pairs> all = pairs(source(step), query);
      if (all.size() > 1 || whole.documents() != null) {
        long keys = keys(group.rank(), source(step), query.size(2));
        ofKeys =
            Tensors.zeros(
                query.dtype(),
                query.device(),
                keyValue.size(0),
                keyValue.size(1),
                keys,
                keyValue.size(3));
      }
      for (Pairs pairs : all) {
        Tensor[] part =
            PartialAttention.backward(
                pairs.queries(gradient),
                pairs.queries(query),
                pairs.keys(key(here, query)),
                pairs.keys(value(here, query)),
                pairs.queries(output),
                pairs.queries(logSums),
                pairs.causal(),
                whole.scale(),
                whole.documents() != null);
        Elementwise.addInPlace(pairs.queries(queryGradient), part[0]);
        Tensor joined = joint(part[1], part[2]);
        if (ofKeys == null) {
          ofKeys = joined;
        } else {
          Elementwise.addInPlace(pairs.keys(ofKeys), joined);
        }
      }
      if (ofKeys == null) {
        throw new IllegalStateException("no queries of rank " + group.rank());
      }
      if (step == 0) {
        Elementwise.addInPlace(keyValueGradient, ofKeys);
      } else {
        sends.add(group.send(ofKeys, source(step)));
      }
      ring.next(step);
    }
    ring.joinSends();
    receive(keyValueGradient, query);
    sends.forEach(Pending::join);
    long keyWidth = query.size(3);
    return new @Nullable Tensor[] {
      Copies.cast(queryGradient, query.dtype()),
      part(keyValueGradient, 0, keyWidth, query.dtype()),
      part(keyValueGradient, keyWidth, keyValue.size(3) - keyWidth, query.dtype())
    };
  }

  /** Adds what the other ranks found of this rank's keys and values, the next one's first. */
  private void receive(Tensor total, Tensor query) {
    for (int step = 1; step < group.size(); step++) {
      int from = (group.rank() + step) % group.size();
      Tensor place = Views.narrow(total, 2, 0, keys(from, group.rank(), query.size(2)));
      Tensor arrived = Tensors.empty(query.dtype(), query.device(), place.shape());
      group.receive(arrived, from).join();
      Elementwise.addInPlace(place, arrived);
    }
  }

  /** The rank whose keys are here at a step. */
  private int source(int step) {
    return Math.floorMod(group.rank() - step, group.size());
  }

  private static Tensor joint(Tensor key, Tensor value) {
    return Copies.concatenate(3, key, value);
  }

  private static Tensor key(Tensor joint, Tensor query) {
    return Views.narrow(joint, 3, 0, query.size(3));
  }

  private static Tensor value(Tensor joint, Tensor query) {
    return Views.narrow(joint, 3, query.size(3), joint.size(3) - query.size(3));
  }

  private static Tensor part(Tensor joint, long start, long width, Dtype dtype) {
    return Copies.cast(Copies.dense(Views.narrow(joint, 3, start, width)), dtype);
  }

  private static Dtype wide(Dtype dtype) {
    return dtype == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32;
  }

  /** Keys and values on their way round: what is here, and what comes next. */
  private final class Ring {
    private Tensor here;
    private @Nullable Tensor coming;
    private Pending arrival = Pending.DONE;
    private final List<Pending> sends = new ArrayList<>();

    Ring(Tensor own) {
      here = own;
    }

    Tensor current() {
      return here;
    }

    /** Launches the exchange with both neighbours, beside which this rank computes. */
    void sendOn(int step) {
      if (step == group.size() - 1) {
        return;
      }
      sends.add(group.send(here, (group.rank() + 1) % group.size()));
      Tensor room = Tensors.empty(here.dtype(), here.device(), here.shape());
      arrival = group.receive(room, Math.floorMod(group.rank() - 1, group.size()));
      coming = room;
    }

    void next(int step) {
      if (step < group.size() - 1 && coming != null) {
        arrival.join();
        here = coming;
      }
    }

    /** Nobody reads what was sent any more. */
    void joinSends() {
      sends.forEach(Pending::join);
    }
  }

  /** Of a rank's keys, how many from the first on another rank's queries see. */
  private static long keys(int rank, int source, long length) {
    return source < rank ? length / 2 : length;
  }

  /** Which of this rank's queries meet which of another's keys. */
  private List<Pairs> pairs(int source, Tensor query) {
    Documents documents = whole.documents();
    long length = query.size(2);
    if (documents == null) {
      long rows = query.size(0);
      return List.of(
          source == group.rank()
              ? new Pairs(0, rows, 0, length, 0, length, true)
              : source < group.rank()
                  ? new Pairs(0, rows, 0, length, 0, length / 2, false)
                  : new Pairs(0, rows, length / 2, length / 2, 0, length, false));
    }
    List<Pairs> all = new ArrayList<>();
    int chunk = Math.toIntExact(length / 2);
    for (int row = 0; row < documents.sequences(); row++) {
      for (int queries = 0; queries < 2; queries++) {
        for (int keys = 0; keys < 2; keys++) {
          addPairs(all, row, queries, source, keys, chunk);
        }
      }
    }
    return all;
  }

  /** Of one chunk's queries and one chunk's keys, what lies in the same documents. */
  private void addPairs(
      List<Pairs> all, int row, int queryChunk, int source, int keyChunk, int chunk) {
    int queryStart = chunkStart(group.rank(), queryChunk, chunk);
    int keyStart = chunkStart(source, keyChunk, chunk);
    if (keyStart > queryStart || whole.documents() == null) {
      return;
    }
    for (Documents.Stretch document : whole.documents().of(row)) {
      Documents.Stretch queries = document.within(queryStart, queryStart + chunk);
      Documents.Stretch keys = document.within(keyStart, keyStart + chunk);
      if (!queries.isEmpty() && !keys.isEmpty()) {
        all.add(
            new Pairs(
                row,
                1,
                queryChunk * chunk + queries.start() - queryStart,
                queries.length(),
                keyChunk * chunk + keys.start() - keyStart,
                keys.length(),
                keyStart == queryStart && queries.length() > 1));
      }
    }
  }

  /** Where a rank's first or second chunk starts in the sequence ({@link ContextChunks}). */
  private int chunkStart(int rank, int which, int chunk) {
    return (which == 0 ? rank : 2 * group.size() - 1 - rank) * chunk;
  }

  /**
   * Queries, and keys that they see: all, or up to their own.
   *
   * @param firstRow among the sequences
   * @param firstQuery among those of the rank
   * @param firstKey likewise
   */
  private record Pairs(
      long firstRow,
      long rows,
      long firstQuery,
      long queryCount,
      long firstKey,
      long keyCount,
      boolean causal) {
    Tensor queries(Tensor ofAll) {
      return Views.narrow(Views.narrow(ofAll, 0, firstRow, rows), 2, firstQuery, queryCount);
    }

    Tensor keys(Tensor ofAll) {
      return Views.narrow(Views.narrow(ofAll, 0, firstRow, rows), 2, firstKey, keyCount);
    }
  }

  /** Outputs for different keys put together by their log-sum-exp, in the wide dtype. */
  private static final class Merged {
    private final Tensor output;
    private final Tensor logSums;

    Merged(Tensor query, long valueWidth) {
      Dtype wide = wide(query.dtype());
      output =
          Tensors.zeros(
              wide, query.device(), query.size(0), query.size(1), query.size(2), valueWidth);
      logSums =
          Tensors.full(
              Double.NEGATIVE_INFINITY,
              wide,
              query.device(),
              query.size(0),
              query.size(1),
              query.size(2));
    }

    void add(Pairs pairs, Tensor part, Tensor sums) {
      Tensor former = pairs.queries(logSums);
      Tensor larger = Elementwise.maximum(former, sums);
      Tensor ofFormer = Elementwise.exp(Elementwise.add(former, larger, -1));
      Tensor ofPart = Elementwise.exp(Elementwise.add(sums, larger, -1));
      Tensor total = Elementwise.add(ofFormer, ofPart);
      Tensor all = pairs.queries(output);
      Elementwise.mulInPlace(all, Views.unsqueeze(Elementwise.div(ofFormer, total), 3));
      Elementwise.addInPlace(
          all,
          Elementwise.mul(
              Copies.cast(part, output.dtype()),
              Views.unsqueeze(Elementwise.div(ofPart, total), 3)));
      Copies.into(former, Elementwise.add(larger, Elementwise.log(total)));
    }

    /** Read and written for each element of a part that is added, sums of logarithms left out. */
    static double bytes(int narrow, int wide) {
      int scaled = 2 * wide; // the former output, in place
      int cast = narrow + wide;
      int weighted = 2 * wide;
      int added = 3 * wide;
      return scaled + cast + weighted + added;
    }

    Tensor output(Dtype dtype) {
      return Copies.cast(output, dtype);
    }
  }
}
