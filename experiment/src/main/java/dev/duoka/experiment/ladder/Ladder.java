package dev.duoka.experiment.ladder;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.Progress;
import dev.duoka.experiment.arm.ArmCommand;
import dev.duoka.experiment.trial.CopiedRunFile;
import dev.duoka.formats.json.Json;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.RunChecks;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Climbs from one rank to all of a run's, and stops at the first rung that fails. Everything is
 * written to one folder: the run file, an arm of training a comparison, {@code ladder.json}, a
 * picture, and the run file for the whole mesh.
 */
public final class Ladder {
  private static final String COPY = "run.yaml";
  private static final String FOR_ALL = "all-cards.yaml";

  private final Path runFile;
  private final RunConfig config;
  private final LadderPlan plan;
  private final LadderLimits limits;
  private final Path folder;
  private final List<String> program;
  private final Progress progress;

  /**
   * A ladder for a run file.
   *
   * @param runFile where it is, for people
   * @param config what it says
   * @param plan what each rung trains
   * @param folder where everything is written; made
   * @param program the words that start this program, up to its commands
   */
  public Ladder(
      Path runFile,
      RunConfig config,
      LadderPlan plan,
      LadderLimits limits,
      Path folder,
      List<String> program,
      Progress progress) {
    this.runFile = runFile;
    this.config = config;
    this.plan = plan;
    this.limits = limits;
    this.folder = folder;
    this.program = List.copyOf(program);
    this.progress = progress;
  }

  /**
   * Climbs. Blocks for as long as all arms take.
   *
   * @param heard of each rung that is over
   * @throws DuokaException when a setting is wrong, or nothing can be written
   */
  public LadderResult run(Consumer<RungResult> heard) throws InterruptedException {
    return run(
        heard,
        new ProgramSurroundings(
            program,
            folder.resolve(COPY),
            folder,
            config.parallel().collectives().name().toLowerCase(Locale.ROOT),
            config.environment().entrySet().stream()
                .collect(
                    Collectors.toMap(Map.Entry::getKey, each -> String.valueOf(each.getValue())))));
  }

  /** As the other method, with what is said of the machine. */
  LadderResult run(Consumer<RungResult> heard, Surroundings surroundings)
      throws InterruptedException {
    Path copy = folder.resolve(COPY);
    copy(copy);
    List<Rung> rungs = plan.rungs();
    requireAll(copy, rungs);
    boolean experts = ModelSource.config(config).moe() != null;
    RungClimb climb =
        new RungClimb(
            new LadderArms(new ArmCommand(program, copy), folder, progress),
            plan,
            limits,
            surroundings,
            measured -> ParityLimits.of(config.training().precision(), experts, measured),
            rungs.size());
    List<RungResult> results = new ArrayList<>();
    for (Rung rung : rungs) {
      RungResult result = climb.to(rung);
      results.add(result);
      write(result(rungs, results, climb, false)); // so far: nothing that was measured is lost
      heard.accept(result);
      if (result.fault().isPresent()) {
        break;
      }
    }
    boolean whole = results.getLast().fault().isEmpty();
    if (whole) {
      write(folder.resolve(FOR_ALL), RunFile.write(config));
    }
    LadderResult result = result(rungs, results, climb, whole);
    write(result);
    return result;
  }

  private LadderResult result(
      List<Rung> rungs, List<RungResult> results, RungClimb climb, boolean whole) {
    return new LadderResult(
        runFile,
        rungs,
        results,
        plan.parityTokens(),
        plan.tokensPerCard(),
        climb.isOnCpu(),
        whole ? Optional.of(folder.resolve(FOR_ALL)) : Optional.empty(),
        folder);
  }

  private void write(LadderResult result) {
    write(folder.resolve("ladder.json"), Json.pretty(LadderJson.of(result)));
    write(folder.resolve("ladder.svg"), LadderPicture.of(result));
  }

  /** What is wrong with the last rung is said before the first one is climbed. */
  private void requireAll(Path copy, List<Rung> rungs) {
    for (Rung rung : rungs) {
      RunFile.read(copy, plan.parity(rung), RunChecks::problems);
      RunFile.read(copy, plan.speed(rung), RunChecks::problems);
    }
  }

  private void copy(Path copy) {
    try {
      CopiedRunFile.write(RunFile.write(config).getBytes(StandardCharsets.UTF_8), copy);
    } catch (IOException e) {
      throw cannotWrite(copy, e);
    }
  }

  private static void write(Path file, String text) {
    try {
      CrashSafeFiles.write(file, text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw cannotWrite(file, e);
    }
  }

  private static DuokaException cannotWrite(Path file, IOException e) {
    return new DuokaException(
        ErrorCode.IO,
        "cannot write " + file + ": " + IoReason.of(e),
        "Give another folder with --out",
        e);
  }
}
