package dev.duoka.parallel.function;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.function.ExpertPlacement;
import dev.duoka.engine.function.Routing;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;

/**
 * Expert parallelism (DeepSeek-V3, arXiv:2412.19437 §3.2): neighbouring experts lie on each rank of
 * a group, and tokens travel to them and back.
 *
 * @param group the ranks over which one copy of the experts is spread
 */
public record SpreadExperts(Communicator group) implements ExpertPlacement {
  @Override
  public Routing route(Tensor chosen, int experts, Dtype dtype) {
    ExchangePlan plan =
        chosen.device().isMeta()
            ? ExchangePlan.balanced(chosen, experts, group)
            : ExchangePlan.of(chosen, experts, group);
    return new ExchangedRouting(plan, group);
  }
}
