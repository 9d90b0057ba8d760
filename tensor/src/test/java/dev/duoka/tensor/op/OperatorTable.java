package dev.duoka.tensor.op;

import static dev.duoka.tensor.Dtype.BFLOAT16;
import static dev.duoka.tensor.Dtype.FLOAT16;
import static dev.duoka.tensor.Dtype.FLOAT32;
import static dev.duoka.tensor.Dtype.FLOAT64;
import static dev.duoka.tensor.Dtype.INT32;
import static dev.duoka.tensor.Dtype.INT64;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.testing.Inputs;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Every operator, for tests that compare devices. */
final class OperatorTable {
  private static final List<Dtype> FLOATS = List.of(FLOAT64, FLOAT32, BFLOAT16, FLOAT16);
  private static final List<Dtype> WIDE = List.of(FLOAT64, FLOAT32);
  private static final List<Dtype> ANY_ONE = List.of(FLOAT32);

  private final List<OperatorCase> cases = new ArrayList<>();

  private OperatorTable() {}

  static List<OperatorCase> cases() {
    OperatorTable table = new OperatorTable();
    table.elementwise();
    table.activations();
    table.reductions();
    table.products();
    table.indexing();
    table.copies();
    table.views();
    table.tensors();
    return table.cases;
  }

  private void add(String operator, List<Dtype> dtypes, OperatorCase.Body body) {
    cases.add(new OperatorCase(operator, dtypes, body));
  }

  private void one(String operator, List<Dtype> dtypes, Function<Inputs, Tensor> body) {
    add(operator, dtypes, inputs -> new Tensor[] {body.apply(inputs)});
  }

  private void elementwise() {
    one("Elementwise.add", FLOATS, in -> Elementwise.add(in.normal(3, 1), in.normal(5), 0.5));
    one("Elementwise.add", FLOATS, in -> Elementwise.add(in.normal(3), in.normal(3)));
    one("Elementwise.add", FLOATS, in -> Elementwise.add(in.normal(), 2.0));
    one("Elementwise.add", ANY_ONE, in -> Elementwise.add(in.normal(3), in.indices(9, 3)));
    one("Elementwise.mul", FLOATS, in -> Elementwise.mul(in.normal(0, 3), in.normal(3)));
    one("Elementwise.mul", FLOATS, in -> Elementwise.mul(in.normal(2, 3), 0.25));
    one("Elementwise.mul", ANY_ONE, in -> Elementwise.mul(in.indices(7, 3), in.indices(5, 3)));
    one("Elementwise.mul", ANY_ONE, in -> Elementwise.mul(in.indices(7, 3), 0.5));
    one("Elementwise.div", FLOATS, in -> Elementwise.div(in.normal(2, 3), in.positive(2, 1)));
    one("Elementwise.floorDivide", ANY_ONE, in -> Elementwise.floorDivide(in.indices(99, 7), 4));
    one("Bits.xor", ANY_ONE, in -> Bits.xor(in.indices(99, 7, 1), in.indices(99, 5)));
    one("Bits.xor", ANY_ONE, in -> Bits.xor(in.indices(99, 7), Long.MAX_VALUE / 3));
    one("Bits.shiftRight", ANY_ONE, in -> Bits.shiftRight(in.indices(9999, 7), 3));
    one("Bits.spread", ANY_ONE, in -> Bits.spread(in.indices(99, 7)));
    one("Bits.mixed", ANY_ONE, in -> Bits.mixed(Bits.spread(in.indices(99, 7))));
    one("Elementwise.neg", FLOATS, in -> Elementwise.neg(in.normal(3)));
    one("Elementwise.sqrt", FLOATS, in -> Elementwise.sqrt(in.positive(3)));
    one("Elementwise.rsqrt", FLOATS, in -> Elementwise.rsqrt(in.positive(3)));
    one("Elementwise.exp", FLOATS, in -> Elementwise.exp(in.normal(3)));
    one("Elementwise.log", FLOATS, in -> Elementwise.log(in.positive(3)));
    one("Elementwise.sign", FLOATS, in -> Elementwise.sign(in.normal(3)));
    one("Elementwise.abs", FLOATS, in -> Elementwise.abs(in.normal(2, 3)));
    one("Elementwise.maximum", FLOATS, in -> Elementwise.maximum(in.normal(2, 1), in.normal(3)));
    one("Elementwise.minimum", FLOATS, in -> Elementwise.minimum(in.normal(2, 1), in.normal(3)));
    one("Elementwise.equal", ANY_ONE, in -> Elementwise.equal(in.indices(2, 9), in.indices(2, 9)));
    one("Elementwise.less", FLOATS, in -> Elementwise.less(in.normal(2, 1), in.normal(3)));
    one("Elementwise.atLeast", FLOATS, in -> Elementwise.atLeast(in.normal(2, 4), 0.5));
    one("Elementwise.isFinite", FLOATS, in -> Elementwise.isFinite(in.normal(2, 4)));
    one(
        "Elementwise.where",
        FLOATS,
        in -> {
          Tensor a = in.normal(2, 3);
          Tensor b = in.normal(2, 3);
          return Elementwise.where(Elementwise.less(a, b), a, b);
        });
    one(
        "Elementwise.addInPlace",
        FLOATS,
        in -> {
          Tensor target = in.normal(2, 3);
          Elementwise.addInPlace(target, in.normal(2, 3));
          return target;
        });
    one(
        "Elementwise.addProductInPlace",
        FLOATS,
        in -> {
          Tensor target = in.normal(2, 3);
          Elementwise.addProductInPlace(target, in.normal(2, 3), in.normal(3), -2);
          return target;
        });
    one(
        "Elementwise.mulInto",
        FLOATS,
        in -> {
          Tensor target = in.normal(2, 3);
          Elementwise.mulInto(Views.narrow(target, 1, 1, 2), in.normal(2, 2), in.normal(2));
          return target;
        });
    one(
        "Elementwise.mulInPlace",
        FLOATS,
        in -> {
          Tensor target = in.normal(2, 3);
          Elementwise.mulInPlace(target, 1.5);
          Elementwise.mulInPlace(target, in.normal(3));
          return target;
        });
  }

  private void activations() {
    one("Activations.silu", FLOATS, in -> Activations.silu(in.normal(3, 5)));
    one(
        "Activations.siluInto",
        FLOATS,
        in -> {
          Tensor target = in.normal(3, 5);
          Activations.siluInto(Views.narrow(target, 1, 1, 2), in.normal(3, 2));
          return target;
        });
    one(
        "Activations.siluBackwardInto",
        FLOATS,
        in -> {
          Tensor gradient = in.normal(3, 5);
          Activations.siluBackwardInto(gradient, gradient, in.normal(3, 5));
          return gradient;
        });
    one("Activations.sigmoid", FLOATS, in -> Activations.sigmoid(in.normal(3, 5)));
    one(
        "Activations.sigmoidBackward",
        FLOATS,
        in -> Activations.sigmoidBackward(in.normal(3), Activations.sigmoid(in.normal(3))));
    one("Activations.softmax", FLOATS, in -> Activations.softmax(in.normal(3, 5)));
    one("Activations.logSoftmax", FLOATS, in -> Activations.logSoftmax(in.normal(3, 5)));
    one(
        "Activations.softmaxBackward",
        FLOATS,
        in -> Activations.softmaxBackward(in.normal(3, 5), Activations.softmax(in.normal(3, 5))));
    add(
        "Activations.rmsNorm",
        FLOATS,
        in -> Activations.rmsNorm(in.normal(3, 8), in.positive(8), 1e-6));
  }

  private void reductions() {
    one("Reductions.sum", FLOATS, in -> Reductions.sum(in.normal(3, 5), 0, true));
    one("Reductions.sum", FLOATS, in -> Reductions.sum(in.normal(3, 5)));
    one("Reductions.sum", ANY_ONE, in -> Reductions.sum(in.indices(9, 3, 5), -1, false));
    one("Reductions.mean", FLOATS, in -> Reductions.mean(in.normal(3, 5), -1, false));
    one("Reductions.max", FLOATS, in -> Reductions.max(in.normal(3, 5), false, 1));
    one("Reductions.max", FLOATS, in -> Reductions.max(in.normal(3, 5), false));
    one("Reductions.min", FLOATS, in -> Reductions.min(in.normal(3, 5), true, 0));
    one("Reductions.argmax", ANY_ONE, in -> Reductions.argmax(in.distinct(4, 6), 1));
    one("Reductions.logSumExp", FLOATS, in -> Reductions.logSumExp(in.normal(3, 5)));
    one("Reductions.cumulativeSum", FLOATS, in -> Reductions.cumulativeSum(in.normal(3, 5), 0));
    one(
        "Reductions.cumulativeSum",
        ANY_ONE,
        in -> Reductions.cumulativeSum(Copies.cast(in.indices(9, 7), INT32), 0));
    one("Reductions.dot", FLOATS, in -> Reductions.dot(in.normal(33), in.normal(33)));
  }

  private void products() {
    one("Products.mm", FLOATS, in -> Products.mm(in.normal(3, 8), in.normal(8, 5)));
    one(
        "Products.mmTransposedA",
        FLOATS,
        in -> Products.mmTransposedA(in.normal(8, 3), in.normal(8, 5)));
    one(
        "Products.mmTransposedB",
        FLOATS,
        in -> Products.mmTransposedB(in.normal(3, 8), in.normal(5, 8)));
    one(
        "Products.mmTransposedBPlus",
        FLOATS,
        in -> Products.mmTransposedBPlus(in.normal(3, 5), in.normal(3, 8), in.normal(5, 8)));
    one("Products.bmm", FLOATS, in -> Products.bmm(in.normal(2, 3, 8), in.normal(2, 8, 5)));
    one(
        "Products.mmInto",
        FLOATS,
        in -> {
          Tensor target = in.normal(3, 5);
          Products.mmInto(target, in.normal(3, 8), in.normal(8, 5), 1);
          return target;
        });
    one(
        "GroupedProducts.rowsByMatrices",
        FLOATS,
        in -> GroupedProducts.rowsByMatrices(in.normal(12, 16), in.normal(3, 16, 8), ends(in)));
    one(
        "GroupedProducts.outerByGroup",
        FLOATS,
        in -> GroupedProducts.outerByGroup(in.normal(12, 16), in.normal(12, 8), ends(in)));
  }

  private static Tensor ends(Inputs in) {
    return Copies.cast(HostCopy.fromLongs(new long[] {5, 5, 12}, in.device(), 3), INT32);
  }

  private void indexing() {
    one("Indexing.rows", FLOATS, in -> Indexing.rows(in.normal(5, 3), in.indices(5, 9)));
    one("Indexing.sumRows", FLOATS, in -> Indexing.sumRows(in.normal(9, 3), in.indices(5, 9), 5));
    one("Indexing.gather", FLOATS, in -> Indexing.gather(in.normal(4, 6), 1, in.indices(6, 4, 2)));
    one(
        "Indexing.scatterAdd",
        FLOATS,
        in -> {
          Tensor target = in.normal(4, 6);
          Indexing.scatterAdd(target, 1, in.indices(6, 4, 1), in.normal(4, 1));
          return target;
        });
    // The order of topk's results is not defined, so a sum stands for them.
    one(
        "Indexing.topk",
        WIDE,
        in -> Reductions.sum(Indexing.topk(in.distinct(4, 9), 3)[0], 1, false));
    one(
        "Indexing.topk",
        WIDE,
        in -> Reductions.sum(Indexing.topk(in.distinct(4, 9), 3)[1], 1, false));
    one(
        "Indexing.above",
        ANY_ONE,
        in -> Indexing.above(in.normal(4, 9), new float[] {-1, -0.25f, 0, 2}));
    one("Indexing.sortedOrder", ANY_ONE, in -> Indexing.sortedOrder(in.indices(4, 50)));
    one(
        "Indexing.keepUpperTriangle",
        WIDE,
        in -> {
          Tensor target = in.normal(4, 6);
          Indexing.keepUpperTriangle(target, 2);
          return target;
        });
    one("Indexing.counts", ANY_ONE, in -> Indexing.counts(in.indices(4, 5, 6), 7));
  }

  private void copies() {
    one("Copies.dense", FLOATS, in -> Copies.dense(Views.transpose(in.normal(3, 5), 0, 1)));
    one("Copies.cast", FLOATS, in -> Copies.cast(in.normal(3, 5), BFLOAT16));
    one("Copies.cast", ANY_ONE, in -> Copies.cast(in.indices(9, 3), FLOAT16));
    one("Copies.to", FLOATS, in -> Copies.to(in.normal(3), in.device()));
    one(
        "Copies.concatenate",
        FLOATS,
        in -> Copies.concatenate(1, in.normal(3, 2), in.normal(3, 4)));
    one(
        "Copies.into",
        FLOATS,
        in -> {
          Tensor target = in.normal(3, 5);
          Copies.into(Views.narrow(target, 1, 1, 2), in.normal(3, 1));
          return target;
        });
    one(
        "Copies.intoAsync",
        FLOATS,
        in -> {
          Tensor target = in.normal(3, 5);
          Copies.intoAsync(target, in.normal(5));
          return target;
        });
    one(
        "OptimizerKernels.adamw",
        WIDE,
        in -> {
          Tensor weights = in.normal(9);
          Tensor step = Tensors.full(3, FLOAT32, in.device());
          OptimizerKernels.adamw(
              weights, in.normal(9), in.normal(9), in.positive(9), step, .1, .9, .95, .1, 1e-8);
          return weights;
        });
  }

  private void views() {
    one("Views.reshape", ANY_ONE, in -> Views.reshape(in.normal(3, 4), 2, -1));
    one("Views.narrow", ANY_ONE, in -> Views.narrow(in.normal(3, 4), 1, 1, 2));
    one(
        "Views.strided",
        ANY_ONE,
        in -> Views.strided(in.normal(3, 4), new long[] {2, 3}, new long[] {1, 4}));
    one("Views.unflatten", ANY_ONE, in -> Views.unflatten(in.normal(3, 6), 1, 2));
    one("Views.transpose", ANY_ONE, in -> Views.transpose(in.normal(3, 4), 0, 1));
    one("Views.unsqueeze", ANY_ONE, in -> Views.unsqueeze(in.normal(3, 4), 1));
    one("Views.expand", ANY_ONE, in -> Views.expand(in.normal(1, 4), 0, 5));
    one("Views.row", ANY_ONE, in -> Views.row(in.normal(3, 4), 2));
    one("Views.dense", ANY_ONE, in -> Views.dense(Views.transpose(in.normal(3, 4), 0, 1)));
    one("Views.reinterpret", ANY_ONE, in -> Views.reinterpret(in.normal(3, 4), INT32));
    one("Views.slice", ANY_ONE, in -> Views.slice(in.normal(20), 3, 2, 4));
  }

  private void tensors() {
    one(
        "Tensors.empty",
        FLOATS,
        in -> Views.narrow(Tensors.empty(in.dtype(), in.device(), 3), 0, 0, 0));
    one("Tensors.zeros", FLOATS, in -> Tensors.zeros(in.dtype(), in.device(), 3, 0));
    one("Tensors.full", ANY_ONE, in -> Tensors.full(7, INT64, in.device()));
    one("Tensors.copyOf", FLOATS, in -> Tensors.copyOf(in.normal(3)));
    one(
        "Tensors.zero",
        FLOATS,
        in -> {
          Tensor target = in.normal(3);
          Tensors.zero(target);
          return target;
        });
    one(
        "Tensors.fill",
        FLOATS,
        in -> {
          Tensor target = in.normal(3);
          Tensors.fill(target, 0.5);
          return target;
        });
  }
}
