package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.RouterRule.GroupScore;
import dev.duoka.engine.function.RouterRule.Scoring;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The functions of a mixture of experts. */
final class ExpertTable {
  private static final int EXPERTS = 8;
  private static final int TOKENS = 6;
  private static final int WIDTH = 5;

  private ExpertTable() {}

  static List<FunctionCase> cases() {
    List<FunctionCase> cases = new ArrayList<>();
    for (Scoring scoring : Scoring.values()) {
      for (boolean normalize : new boolean[] {false, true}) {
        for (double balance : new double[] {0, 0.25}) {
          cases.add(
              router(
                  new RouterRule(EXPERTS, 3, scoring, 1, 1, GroupScore.MAXIMUM, normalize, 1.5),
                  balance,
                  false));
        }
      }
      for (GroupScore score : GroupScore.values()) {
        cases.add(router(new RouterRule(EXPERTS, 2, scoring, 4, 2, score, true, 1), 0.5, true));
      }
    }
    cases.add(sending(WIDTH));
    cases.add(sending(16)); // whole packs
    cases.add(combining(WIDTH));
    cases.add(combining(16));
    cases.add(grouped());
    cases.add(mixture());
    return cases;
  }

  private static FunctionCase router(RouterRule rule, double balance, boolean biased) {
    return new FunctionCase(
        "router " + rule + (balance == 0 ? "" : ", balanced") + (biased ? ", biased" : ""),
        bench -> {
          Parameter weight = bench.parameter("w", EXPERTS, WIDTH);
          Tensor x = bench.input(bench.random().coarse(TOKENS, WIDTH));
          Tensor bias = biased ? bias(bench) : null;
          BalanceLoss loss = balance == 0 ? null : new BalanceLoss(balance, TOKENS / 2);
          bench.computing((tape, in) -> tape.applyAll(new Router(weight, rule, bias, loss), in[0]));
          if (loss != null) {
            bench.plus(() -> BalanceLossTruth.evaluate(loss, rule, x, weight.value(), bias));
          }
        });
  }

  private static Tensor bias(Bench bench) {
    Dtype dtype = bench.random().dtype() == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32;
    return Copies.cast(bench.random().distinct(EXPERTS), dtype);
  }

  /** Expert 3 gets nothing, expert 0 most. */
  private static Routing routing(Bench bench) {
    long[] chosen = {0, 4, 0, 5, 1, 0, 7, 0, 2, 6, 0, 1};
    return Routing.of(
        HostCopy.fromLongs(chosen, bench.random().device(), TOKENS, 2),
        EXPERTS,
        bench.random().dtype());
  }

  private static FunctionCase sending(long width) {
    return new FunctionCase(
        "dispatch, sort rows and combine, width " + width,
        bench -> {
          Routing routing = routing(bench);
          bench.input(bench.random().coarse(TOKENS, 2 * width));
          bench.input(bench.random().coarse(TOKENS, 2));
          bench.computing(
              (tape, in) -> {
                Variable rows = tape.apply(new Dispatch(routing), in[0]);
                Variable weights = tape.apply(new SortRows(routing), in[1]);
                Variable product = tape.apply(new SwiGlu(), rows, weights);
                return new Variable[] {tape.apply(new Combine(routing), product)};
              });
        });
  }

  private static FunctionCase combining(long width) {
    return new FunctionCase(
        "combine with an addend, width " + width,
        bench -> {
          Routing routing = routing(bench);
          bench.input(bench.random().coarse(2 * TOKENS, width));
          bench.input(bench.random().coarse(TOKENS, width));
          bench.computing(
              (tape, in) -> new Variable[] {tape.apply(new Combine(routing), in[0], in[1])});
        });
  }

  private static FunctionCase grouped() {
    return new FunctionCase(
        "grouped linear",
        bench -> {
          Routing routing = routing(bench);
          Parameter weight = bench.parameter("w", EXPERTS, 8, 16);
          bench.input(bench.random().coarse(2 * TOKENS, 16));
          bench.computing(
              (tape, in) -> new Variable[] {tape.apply(new GroupedLinear(weight, routing), in[0])});
        });
  }

  private static FunctionCase mixture() {
    return new FunctionCase(
        "a whole mixture of experts",
        bench -> {
          RouterRule rule =
              new RouterRule(EXPERTS, 2, Scoring.SIGMOID, 1, 1, GroupScore.MAXIMUM, true, 2.5);
          Parameter router = bench.parameter("router", EXPERTS, 16);
          Parameter up = bench.parameter("up", EXPERTS, 16, 16);
          Parameter down = bench.parameter("down", EXPERTS, 16, 8);
          bench.input(bench.random().coarse(TOKENS, 16));
          bench.computing((tape, in) -> mixture(tape, in[0], rule, null, router, up, down));
        });
  }

  private static Variable[] mixture(
      Tape tape,
      Variable x,
      RouterRule rule,
      @Nullable Tensor bias,
      Parameter router,
      Parameter up,
      Parameter down) {
    Variable[] routed = tape.applyAll(new Router(router, rule, bias, null), x);
    Routing routing = Routing.of(routed[1].value(), rule.experts(), x.value().dtype());
    routing.holdOn(tape);
    Variable weights = tape.apply(new SortRows(routing), routed[0]);
    Variable rows = tape.apply(new Dispatch(routing), x);
    Variable joint = tape.apply(new GroupedLinear(up, routing), rows);
    Variable activated = tape.apply(new SwiGlu(), joint, weights);
    Variable outputs = tape.apply(new GroupedLinear(down, routing), activated);
    return new Variable[] {tape.apply(new Combine(routing), outputs)};
  }
}
