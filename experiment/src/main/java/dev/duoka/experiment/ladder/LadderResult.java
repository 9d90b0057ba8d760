package dev.duoka.experiment.ladder;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How far a ladder went.
 *
 * @param runFile what was climbed with
 * @param planned all rungs to the whole mesh
 * @param rungs those that were tried; where one fails it is the last
 * @param parityTokens of a step in which rungs were compared
 * @param tokensPerCard of a step whose time was measured
 * @param onCpu whether the ranks computed on the CPU
 * @param runFileForAll the run file for the whole mesh; empty where a rung failed
 * @param folder where everything was written
 */
public record LadderResult(
    Path runFile,
    List<Rung> planned,
    List<RungResult> rungs,
    long parityTokens,
    long tokensPerCard,
    boolean onCpu,
    Optional<Path> runFileForAll,
    Path folder) {
  public LadderResult {
    planned = List.copyOf(planned);
    rungs = List.copyOf(rungs);
  }

  /** Why it stopped; empty where the whole mesh is proven. */
  public Optional<Fault> fault() {
    return rungs.stream().flatMap(rung -> rung.fault().stream()).findFirst();
  }

  /** Whether the whole mesh is proven. */
  public boolean isWhole() {
    return fault().isEmpty() && rungs.size() == planned.size();
  }
}
