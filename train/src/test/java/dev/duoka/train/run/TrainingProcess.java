package dev.duoka.train.run;

import dev.duoka.comm.launch.ProcessPlace;
import dev.duoka.train.config.RunConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** A process that takes its place in one run after the other, for tests. */
final class TrainingProcess {
  private TrainingProcess() {}

  /**
   * Each line of its input is a job, separated by tabs: this process's number, how many there are,
   * the port of process 0, the folder of the corpus, that of the run, the last step, whether to
   * resume, and fields of the run file. It answers how the run ended.
   */
  public static void main(String[] arguments) throws IOException {
    say("ready");
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      say(run(line.split("\t")));
    }
  }

  private static String run(String... job) throws IOException {
    ProcessPlace place =
        ProcessPlace.of(
            Map.of(
                "DUOKA_RANK", job[0],
                "DUOKA_WORLD_SIZE", job[1],
                "DUOKA_RENDEZVOUS", "localhost:" + job[2]));
    RunConfig config = SmallRun.config(Path.of(job[3]), Arrays.copyOfRange(job, 7, job.length));
    Path runDir = Path.of(job[4]);
    RunOptions options =
        new RunOptions(
            OptionalLong.of(Long.parseLong(job[5])),
            Optional.of(runDir),
            Boolean.parseBoolean(job[6]));
    try {
      RunResult result = new Trainer(config, options, runDir, place, new SmallRun.Listener()).run();
      return result.end()
          + " "
          + result.steps()
          + " saved "
          + result.lastCheckpoint().orElse(0)
          + (result.saveFailed() ? " save failed" : "");
    } catch (RuntimeException e) {
      return "failed: " + e.getMessage();
    }
  }

  private static void say(String line) {
    System.out.println(line.replace('\n', ' '));
    System.out.flush();
  }
}
