package dev.duoka.parallel.function;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.function.ExpertPlacement;
import dev.duoka.engine.function.Routing;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.layout.Dispatcher;
import dev.duoka.layout.RoutedExperts;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;

/**
 * Expert parallelism (DeepSeek-V3, arXiv:2412.19437 §3.2): neighbouring experts lie on each rank of
 * a group, and tokens travel to them and back. Where many tokens have an expert on any one rank,
 * all rows go to all ranks ({@link GatheredRouting}); over many ranks each goes only where it is
 * needed ({@link ExchangedRouting}).
 */
public final class SpreadExperts implements ExpertPlacement {
  private final Communicator group;
  private final Dispatcher dispatcher;
  private final RoutedExperts experts;
  private final RowCounts counts = new RowCounts();

  /** Experts over the ranks of a group, which always have as many tokens as each other. */
  public SpreadExperts(Communicator group, Dispatcher dispatcher, RoutedExperts experts) {
    this.group = group;
    this.dispatcher = dispatcher;
    this.experts = experts;
  }

  /** Among which experts a model's routers choose. */
  public static RoutedExperts routed(MoeConfig moe) {
    return new RoutedExperts(
        moe.routedExperts(),
        moe.expertsPerToken(),
        moe.groups(),
        moe.topkGroups(),
        switch (moe.selection()) {
          case GREEDY, GROUP_LIMITED -> 1;
          case BIAS_CORRECTED -> 2;
        });
  }

  @Override
  public Routing route(Tensor chosen, int count, Dtype dtype) {
    if (dispatcher.resolved(experts, group.size()) == Dispatcher.ALL_GATHER) {
      return GatheredRouting.of(chosen, count, dtype, group, counts);
    }
    ExchangePlan plan =
        chosen.device().isMeta()
            ? ExchangePlan.balanced(chosen, experts, group)
            : ExchangePlan.of(chosen, count, group);
    return new ExchangedRouting(plan, group);
  }

  @Override
  public void close() {
    counts.close();
  }
}
