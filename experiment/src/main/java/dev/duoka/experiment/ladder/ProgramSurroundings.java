package dev.duoka.experiment.ladder;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.experiment.arm.ArmProcess;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.run.WorkerFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * Asks by commands of this program, each in a process of its own: what a broken link or library
 * does to it ends with it, and this JVM has no device.
 */
final class ProgramSurroundings implements Surroundings {
  private static final Duration MOST = Duration.ofMinutes(5);
  private static final long LOOK_MILLISECONDS = 50;
  private static final String SIZES = "1MiB,64MiB";

  private final List<String> program;
  private final Path runFile;
  private final Path folder;
  private final String collectives;
  private final Map<String, String> environment;
  private int asked;

  /**
   * Of a run.
   *
   * @param program the words that start this program, up to its commands
   * @param folder where they write
   * @param collectives what the run says of them
   * @param environment the variables that the run sets
   */
  ProgramSurroundings(
      List<String> program,
      Path runFile,
      Path folder,
      String collectives,
      Map<String, String> environment) {
    this.program = List.copyOf(program);
    this.runFile = runFile;
    this.folder = folder;
    this.collectives = collectives;
    this.environment = Map.copyOf(environment);
  }

  @Override
  public List<BusyCard> busy(RungPlace place) throws InterruptedException {
    return RestingCards.here().busy(place);
  }

  @Override
  public Exchanges exchanges(RungPlace place) throws InterruptedException {
    Answer answer =
        ask(
            List.of(
                "bench",
                "comm",
                "--ranks",
                "" + place.devices().size(),
                "--device",
                place.deviceOption(),
                "--collectives",
                collectives,
                "--sizes",
                SIZES,
                "--json"));
    List<Exchanges.Line> lines = new ArrayList<>();
    for (JsonNode each : answer.json().path("exchanges")) {
      lines.add(
          new Exchanges.Line(
              each.path("transport").asString(""),
              each.path("collective").asString(""),
              each.path("bytes").asLong(0),
              each.path("bus_gb_per_second").asDouble(Double.NaN),
              each.has("wrong") ? Optional.of(each.path("wrong").asString()) : Optional.empty()));
    }
    return new Exchanges(lines, lines.isEmpty() ? Optional.of(answer.why()) : Optional.empty());
  }

  @Override
  public Likeness likeness(List<String> mesh) throws InterruptedException {
    List<String> words = new ArrayList<>(List.of("selftest", runFile.toString(), "--json"));
    mesh.forEach(override -> words.addAll(List.of("--set", override)));
    Answer answer = ask(words);
    JsonNode json = answer.json();
    if (!json.has("passed")) {
      return new Likeness(false, answer.why(), List.of(), List.of());
    }
    List<String> differing = new ArrayList<>();
    for (JsonNode comparison : json.path("comparisons")) {
      comparison.path("differences").properties().forEach(each -> differing.add(each.getKey()));
    }
    List<String> exchanged = new ArrayList<>();
    for (JsonNode each : json.path("exchanges")) {
      String operation = each.path("operation").asString("");
      if (each.path("bytes").asLong(0) > 0 && !operation.equals("agree")) {
        String group = each.path("group").asString("");
        exchanged.add(
            operation
                + (group.equals("world") ? " of all ranks" : " along " + group)
                + " by "
                + each.path("transport").asString(""));
      }
    }
    return new Likeness(
        json.path("passed").asBoolean(false),
        json.path("work").asString(""),
        differing,
        exchanged.stream().distinct().toList());
  }

  @Override
  public MachineFindings machine() throws InterruptedException {
    JsonNode json = ask(List.of("doctor", "--json")).json();
    List<MachineFindings.Finding> findings = new ArrayList<>();
    for (JsonNode each : json.path("findings")) {
      String check = each.path("check").asString("");
      if (!each.path("severity").asString("").equals("note") || check.equals("nccl-variables")) {
        findings.add(
            new MachineFindings.Finding(
                check,
                each.path("evidence").asString(""),
                each.path("consequence").asString(""),
                each.path("fix").asString("")));
      }
    }
    List<MachineFindings.Copy> copies = new ArrayList<>();
    for (JsonNode each : json.path("copies")) {
      String way = each.path("way").asString("");
      if (way.matches("cuda:\\d+ to cuda:\\d+")) {
        copies.add(
            new MachineFindings.Copy(
                way,
                each.path("direct").asBoolean(false),
                each.path("intact").asBoolean(false),
                each.path("gigabytes_per_second").asDouble(Double.NaN)));
      }
    }
    return new MachineFindings(findings, copies);
  }

  /**
   * What a command has said.
   *
   * @param json its object; empty where it printed none
   * @param why it printed none, in words
   */
  private record Answer(JsonNode json, String why) {}

  private Answer ask(List<String> words) throws InterruptedException {
    Path output = folder.resolve("asked-" + ++asked + "-" + words.getFirst());
    List<String> command = new ArrayList<>(program);
    command.addAll(words);
    long end = System.nanoTime() + MOST.toNanos();
    try (ArmProcess process = ArmProcess.start(output, command, environment)) {
      while (process.isAlive()) {
        if (System.nanoTime() - end > 0) {
          return new Answer(
              Json.object(),
              "it did not end within " + MOST.toMinutes() + " minutes: ranks wait for each other");
        }
        Thread.sleep(LOOK_MILLISECONDS);
      }
      return printed(output)
          .map(json -> new Answer(json, ""))
          .orElseGet(() -> new Answer(Json.object(), process.failure().message()));
    }
  }

  private static Optional<JsonNode> printed(Path output) {
    Path file = new WorkerFolder(output, 0).standardOutput();
    try {
      List<String> lines = Files.readAllLines(file);
      if (lines.isEmpty() || !lines.getLast().startsWith("{")) {
        return Optional.empty();
      }
      byte[] last = lines.getLast().getBytes(StandardCharsets.UTF_8);
      return Optional.of(Json.parse(last, file.toString(), ErrorCode.FORMAT));
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": " + IoReason.of(e), "Check the disk", e);
    }
  }
}
