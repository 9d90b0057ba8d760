package dev.duoka.parallel.function;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.function.ExpertPlacement;
import dev.duoka.engine.function.Routing;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;

/**
 * Expert parallelism (DeepSeek-V3, arXiv:2412.19437 §3.2): neighbouring experts lie on each rank of
 * a group, and tokens travel to them and back. Where most tokens have an expert on every rank, all
 * rows go everywhere, and no host waits for a device ({@link GatheredRouting}); over many ranks,
 * and where the room was too small, rows are counted and go only where they are needed.
 *
 * @param group the ranks over which one copy of the experts is spread
 * @param room how many rows the experts here take without being counted
 */
public record SpreadExperts(Communicator group, ExpertRoom room) implements ExpertPlacement {
  /** The part of the tokens with an expert on one rank, from which on all rows go there. */
  private static final double MOST = 0.5;

  @Override
  public Routing route(Tensor chosen, int experts, Dtype dtype) {
    int k = Math.toIntExact(chosen.size(1));
    if (!room.isCounted() && ExchangePlan.part(experts, k, group.size()) >= MOST) {
      return GatheredRouting.of(chosen, experts, dtype, group, room);
    }
    ExchangePlan plan =
        chosen.device().isMeta()
            ? ExchangePlan.balanced(chosen, experts, group)
            : ExchangePlan.of(chosen, experts, group);
    return new ExchangedRouting(plan, group);
  }
}
