package dev.duoka.measure.comm;

import dev.duoka.base.ByteSize;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.layout.Dispatcher;
import dev.duoka.parallel.function.SpreadExperts;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.train.device.Transport;
import dev.duoka.train.memory.MemoryCheck;
import dev.duoka.train.memory.MemoryNeed;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * Times how tokens get to experts on other ranks and back, by tokens of a rank, by dispatcher and
 * by what carries it. Tokens choose experts as the model's router does by random scores; the way
 * there and back is checked once before it is timed.
 */
public final class DispatchBenchmark {
  /** Rows as wide as tokens that a rank holds for each token, at most; measured on the CPU. */
  private static final int ROWS_OF_A_TOKEN = 4;

  private final MeasuredRanks ranks;
  private final MoeConfig experts;
  private final int width;

  /**
   * What was measured.
   *
   * @param devices the names of those of the ranks
   * @param experts of the model
   * @param expertsPerToken of each token
   * @param usual the dispatcher that {@code parallel.dispatcher: auto} takes
   * @param width of a token's row, in elements of bf16
   * @param missing what could not carry anything, and why
   * @param lines by transport, tokens and dispatcher
   */
  public record Report(
      List<String> devices,
      int experts,
      int expertsPerToken,
      Dispatcher usual,
      int width,
      Map<Transport, String> missing,
      List<DispatchLine> lines) {
    /** Whether every result was right. */
    public boolean isRight() {
      return lines.stream().allMatch(line -> line.wrong().isEmpty());
    }
  }

  private DispatchBenchmark(MeasuredRanks ranks, MoeConfig experts, int width) {
    this.ranks = ranks;
    this.experts = experts;
    this.width = width;
  }

  /**
   * The experts of a model, spread over ranks on their devices.
   *
   * @param count of ranks; without a number each GPU has one, and a CPU two
   * @param device as the option says it; auto is GPUs or nothing
   * @param collectives {@code peer}, {@code nccl}, {@code copies}, {@code auto}, or {@code all}
   * @throws DuokaException when the machine has not what is asked for, or the model no experts that
   *     the ranks can share
   */
  public static DispatchBenchmark of(
      ModelConfig model, OptionalInt count, String device, String collectives) {
    MoeConfig moe = model.moe();
    if (moe == null) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "--model has no experts, so nothing is dispatched",
          "Give a model with experts, such as deepseek-v2-lite");
    }
    MeasuredRanks ranks = MeasuredRanks.of(count, device, collectives);
    if (moe.routedExperts() % ranks.devices().size() != 0) {
      throw new DuokaException(
          ErrorCode.USAGE,
          ranks.devices().size() + " ranks cannot share " + moe.routedExperts() + " experts evenly",
          "Give --ranks that divide them");
    }
    return new DispatchBenchmark(ranks, moe, model.hiddenSize());
  }

  /** What is known before anything is measured: a report without lines. */
  public Report begun() {
    return report(List.of());
  }

  private Report report(List<DispatchLine> lines) {
    return new Report(
        ranks.devices().stream().map(Device::toString).toList(),
        experts.routedExperts(),
        experts.expertsPerToken(),
        Dispatcher.AUTO.resolved(SpreadExperts.routed(experts), ranks.devices().size()),
        width,
        ranks.missing(),
        List.copyOf(lines));
  }

  /**
   * Runs the ranks as threads, with one transport after the other.
   *
   * @param tokens of a rank, each number a row of the report
   * @param seen takes each line as soon as it is known, on a thread of the first rank
   */
  public Report run(List<Long> tokens, Consumer<DispatchLine> seen) {
    requireMemory(Collections.max(tokens));
    List<DispatchLine> lines = new ArrayList<>();
    WrongResults wrong = new WrongResults();
    for (Transport transport : ranks.transports()) {
      ranks.run(
          transport,
          (world, device) ->
              new DispatchRounds(world, device, experts, width, wrong)
                  .run(
                      transport,
                      tokens,
                      line -> {
                        if (world.rank() == 0) {
                          lines.add(line);
                          seen.accept(line);
                        }
                      }));
    }
    return report(lines);
  }

  private void requireMemory(long tokens) {
    int size = ranks.devices().size();
    long rows = tokens * (size + 2L * experts.expertsPerToken() + ROWS_OF_A_TOKEN);
    long each = rows * width * Dtype.BFLOAT16.bytes();
    for (Device device : new HashSet<>(ranks.devices())) {
      int sharing = Collections.frequency(ranks.devices(), device);
      MemoryCheck.require(
          "dispatching " + tokens + " tokens of each of " + size + " ranks",
          device,
          MemoryNeed.of(Map.of(MemoryOwner.TEMPORARIES, each), sharing),
          bytes ->
              "Give fewer --tokens: rows of "
                  + ByteSize.text(bytes / sharing)
                  + " would fit, these take "
                  + ByteSize.text(each));
    }
  }
}
