package dev.duoka.checks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Scripts that measure on cards, on a machine without any. */
final class BenchScriptTests {
  @TempDir private Path folder;

  /** Runs a script with the programs of {@link #folder} before all others. */
  private Command run(String script, String... arguments) throws IOException, InterruptedException {
    Map<String, String> environment = new HashMap<>(System.getenv());
    environment.put("PATH", folder + File.pathSeparator + System.getenv("PATH"));
    environment.put("DUOKA", folder.resolve("duoka").toString());
    List<String> words = new ArrayList<>();
    words.add("python3");
    words.add(Repository.root().resolve("bench").resolve(script).toString());
    words.addAll(List.of(arguments));
    return Command.run(folder, environment, words);
  }

  private void program(String name, String text) throws IOException {
    Path file = Files.writeString(folder.resolve(name), text);
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  /** One that cannot be started, as where there is none, and one that finds no driver. */
  @ParameterizedTest
  @ValueSource(strings = {"#!/no/such/shell", "#!/bin/sh\nexit 9"})
  void withoutCardsTheirNumberIsAskedFor(String text) throws IOException, InterruptedException {
    program("nvidia-smi", text + "\n");
    for (Command ended :
        List.of(
            run("several-cards/run", "out"),
            run("choice/run", "out", "tiny-moe", "1024"),
            run("eight-cards/run", "out"))) {
      assertThat(ended.output())
          .contains("nvidia-smi does not list", "say how many with --cards N")
          .doesNotContain("Traceback");
      assertThat(ended.exitStatus()).isOne();
    }
  }

  @Test
  void timesArePlannedFromAProfileThatIsNamed() throws IOException, InterruptedException {
    String[] row = {"out", "dense-one", "--cards", "2", "--profile", "cards.json", "--predict"};
    program(
        "duoka",
        "#!/bin/sh\n"
            + "echo '{\"peak_gib\": 1.5, \"predicted_step_ms\": 12.34, \"words\": \"'$*'\"}'\n");
    assertThat(run("several-cards/run", row).output())
        .contains("| dense-one |", "| – (12.3) |", "predicted memory and time");
    assertThat(Files.readString(folder.resolve("out/dense-one.json")))
        .contains("--device meta --profile cards.json");
    assertThat(run("several-cards/run", List.of(row).subList(0, 6).toArray(String[]::new)).output())
        .contains("--profile is for --predict");
  }

  /** Eight cards, and a program whose last three steps on one batch have this loss. */
  private void eightCards(String lastLoss) throws IOException {
    program(
        "nvidia-smi", "#!/bin/sh\nfor i in 0 1 2 3 4 5 6 7; do echo GPU $i: NVIDIA H200; done\n");
    program(
        "duoka",
        """
        #!/usr/bin/env python3
        import json, pathlib, sys
        words = sys.argv[1:]
        with open("calls", "a") as calls:
            calls.write(" ".join(words) + "\\n")
        if words[0] == "doctor":
            print('{"found": 1}')
            sys.exit(1)
        if words[0] == "plan":
            away = dict(data=1, tensor=2, pipeline=4, expert=1, context=1, zero=0, replicate=1,
                        schedule="interleaved", stages_per_rank=4, blocks_per_bucket=1,
                        micro_batch=1, accumulation=32, recompute="none", offload="optimizer")
            plans = [dict(runnable=True, description=it["offload"], time_total=0.5, layout=it)
                     for it in (away, away | {"offload": "none"})]
            print(json.dumps({"plans": plans}))
        elif words[0] == "train":
            run = pathlib.Path(words[words.index("--run-dir") + 1])
            run.mkdir()
            losses = [9.0] * 17 + [LAST] * 3
            run.joinpath("metrics.jsonl").write_text("\\n".join('{"loss": %s}' % it for it in losses))
            run.joinpath("sources.json").write_text('{"sources": [{"sequences": 32}]}')
            print("{}")
        elif words[:2] == ["bench", "train"]:
            report = dict(command=" ".join(words), step_ms=600, tokens_per_second=50000, peak_gib=56)
            if "--mesh" in words:
                rank = dict(predicted_peak_bytes=44 << 30, peak_bytes=45 << 30, driver_bytes=46 << 30)
                report |= dict(ranks=8, tokens_per_second_per_rank=49000, by_rank=[rank] * 8,
                               predicted_step_ms=630, predicted_by="the planner for X, measured 2026",
                               roofline_utilisation=0.9)
            print(json.dumps(report))
        else:
            print("{}")
        """
            .replace("LAST", lastLoss));
  }

  @Test
  void eightCardsTakeEachStepOnceAndHoldItAgainstWhatWasCommitted()
      throws IOException, InterruptedException {
    eightCards("8.0");
    String table = run("eight-cards/run", "out").output();
    assertThat(table)
        .containsPattern("[0-9a-f]{64}  \\S*/predicted-8xH200-141G-SXM.json")
        .contains("98.0 % of linear: met, and the aim (aim 98)", "85 % of the roofline: met")
        .contains("| 45.00 (46.00) |", "| 44.00 (-2.2 %, over 2) |", "630.0 (+5.0 %) |")
        .containsPattern("1.3b-data \\|.*\\| 571\\.60? \\(-4\\.7 %\\)")
        .contains("67b: the planner's choice 2, none; here with selective recompute")
        .contains("loss 9.0000 to 8.0000")
        .doesNotContain("no result", "Traceback");
    List<String> calls = Files.readAllLines(folder.resolve("calls"));
    assertThat(calls).hasSize(16).doesNotHaveDuplicates();
    assertThat(calls.get(11))
        .startsWith("train ")
        .contains("parallel.stages_per_rank=4", "training.recompute=selective")
        .contains("memory.offload=none", "checkpoint.every_steps=0", "checkpoint.final=false");
    assertThat(calls.get(12))
        .contains("tensor=2,pipeline=4,schedule=interleaved,stages_per_rank=4");
    assertThat(run("eight-cards/run", "out").output()).contains("loss 9.0000 to 8.0000");
    assertThat(Files.readAllLines(folder.resolve("calls"))).hasSize(16);
    Files.delete(folder.resolve("out/v2-lite.json"));
    assertThat(run("eight-cards/run", "out", "--budget", "10").output())
        .contains("v2-lite: left out", "no result, see v2-lite.log");
  }

  @Test
  void aLossThatDoesNotFallIsNoResultOfEightCards() throws IOException, InterruptedException {
    eightCards("9.0");
    assertThat(run("eight-cards/run", "out").output())
        .contains("67b-train: failed, see its log", "67b-train: no result, see 67b-train.log");
    assertThat(Files.readString(folder.resolve("out/67b-train.log")))
        .contains("the loss does not fall");
    assertThat(folder.resolve("out/67b-train.json")).doesNotExist();
    assertThat(folder.resolve("out/67b.json")).exists();
  }

  @Test
  void cardsThatAreNotThoseOfThePredictionAreHeldAgainstNone()
      throws IOException, InterruptedException {
    eightCards("8.0");
    assertThat(run("eight-cards/run", "four", "--cards", "4", "--budget", "0").output())
        .contains("it is of 8 cards, not of 4: nothing is held against it");
    assertThat(
            run("eight-cards/run", "h100", "--machine", "8xH100-80G-SXM", "--budget", "0").output())
        .contains("this machine's cards are no H100: nothing is held against it");
    assertThat(run("eight-cards/run", "ada", "--machine", "8xRTX4090", "--budget", "0").output())
        .contains("no prediction is committed for 8xRTX4090");
    assertThat(run("eight-cards/run", "ada", "--rehearse").output())
        .contains("holds results of", "give another folder");
  }
}
