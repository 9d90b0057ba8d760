package dev.duoka.planner.advise;

import dev.duoka.hardware.Machine;
import dev.duoka.planner.shape.ModelShape;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What advice is asked for.
 *
 * @param model the model's name in reports
 * @param shape its shape
 * @param task what the machine is for
 * @param tokens the length of the job
 * @param sequenceLength tokens of a sequence
 * @param budget US dollars; empty for no limit
 * @param payment what the budget is for
 * @param machines the machines to compare
 */
public record AdviceRequest(
    String model,
    ModelShape shape,
    Task task,
    long tokens,
    int sequenceLength,
    OptionalDouble budget,
    Payment payment,
    List<Machine> machines) {
  public AdviceRequest {
    machines = List.copyOf(machines);
  }
}
