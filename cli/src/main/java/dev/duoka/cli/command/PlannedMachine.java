package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.hardware.Card;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.hardware.MachineProfileFile;
import dev.duoka.machine.environment.MachineVersions;
import dev.duoka.machine.probe.LiveProbe;
import dev.duoka.machine.topology.Topology;
import dev.duoka.planner.machine.MeasuredMachines;
import dev.duoka.planner.machine.TopologyMachines;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The machine to plan for: named, read from a topology, or this one. */
final class PlannedMachine {
  private PlannedMachine() {}

  static Machine of(
      @Nullable String name,
      @Nullable Path topology,
      @Nullable String card,
      @Nullable Path profile,
      Catalogue catalogue,
      PrintWriter err) {
    if (profile == null) {
      return of(name, topology, card, catalogue, err);
    }
    MachineProfile measured = MachineProfileFile.read(profile);
    return name == null && topology == null
        ? MeasuredMachines.of(measured, catalogue)
        : MeasuredMachines.of(of(name, topology, card, catalogue, err), measured, catalogue);
  }

  private static Machine of(
      @Nullable String name,
      @Nullable Path topology,
      @Nullable String card,
      Catalogue catalogue,
      PrintWriter err) {
    if (name != null && topology != null) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "--machine and --topo both say which machine it is",
          "Keep one; with --topo, --card names the cards.");
    }
    if (card != null && topology == null) {
      throw new DuokaException(
          ErrorCode.USAGE, "--card is for --topo only", "Use --machine with a number and a card.");
    }
    if (name != null) {
      return catalogue.machine(name);
    }
    Optional<Card> kind = Optional.ofNullable(card).map(catalogue::card);
    if (topology != null) {
      if (!topology.toString().equals("-") && !Files.isRegularFile(topology)) {
        throw new DuokaException(
            ErrorCode.USAGE,
            "--topo " + topology + (Files.exists(topology) ? " is no file" : " does not exist"),
            "Name a file with the output of nvidia-smi topo -m, or - for standard input.");
      }
      return warned(TopologyFile.read(topology), kind, catalogue, err);
    }
    Topology here = LiveProbe.topology();
    if (here.gpus().isEmpty()) {
      throw new DuokaException(
          ErrorCode.DEVICE,
          "this machine shows no GPU"
              + here.warnings().stream().findFirst().map(w -> ": " + withoutPeriod(w)).orElse(""),
          "Name a machine, for example --machine 8xA100-80G-SXM.");
    }
    return withOwnProfile(warned(here, kind, catalogue, err), here, err);
  }

  /** This machine with its own profile, where one was made with its cards. */
  static Machine withOwnProfile(Machine machine, Topology here, PrintWriter err) {
    Path file = MachineProfileFile.usual(true);
    if (!Files.isRegularFile(file)) {
      return machine;
    }
    MachineProfile own = MachineProfileFile.read(file);
    if (!MeasuredMachines.isOf(own, here)) {
      err.println(
          "duoka: warning: "
              + file
              + " is of other cards ("
              + own.title()
              + "): rates are the catalogue's. 'duoka calibrate' measures these.");
      return machine;
    }
    List<String> changed = own.changedVersions(MachineVersions.ofDriverAndLibTorch());
    if (!changed.isEmpty()) {
      err.println(
          "duoka: warning: this machine was measured with other versions ("
              + String.join(", ", changed)
              + "): what is predicted may be off. 'duoka calibrate' measures again.");
    }
    return machine.measured(own);
  }

  private static String withoutPeriod(String sentence) {
    return sentence.replaceFirst("\\.+$", "");
  }

  /** What is missing or damaged in a topology is said: the plan rests on what is left. */
  private static Machine warned(
      Topology topology, Optional<Card> kind, Catalogue catalogue, PrintWriter err) {
    Machine machine = TopologyMachines.of(topology, kind, catalogue);
    topology.warnings().forEach(warning -> err.println("duoka: warning: topology: " + warning));
    return machine;
  }
}
