package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.nvml.Nvml;
import dev.duoka.ffi.nvml.NvmlDevice;
import dev.duoka.machine.topology.TopologyReader;
import dev.duoka.planner.catalogue.Card;
import dev.duoka.planner.catalogue.Catalogue;
import dev.duoka.planner.catalogue.Machine;
import dev.duoka.planner.catalogue.TopologyMachines;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The machine to plan for: named, read from a topology, or this one. */
final class PlannedMachine {
  private static final String NAME_ONE = "Name one, for example --machine 8xA100-80G-SXM.";

  private PlannedMachine() {}

  static Machine of(
      @Nullable String name, @Nullable Path topology, @Nullable String card, Catalogue catalogue) {
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
    if (topology != null) {
      Optional<Card> kind = Optional.ofNullable(card).map(catalogue::card);
      return TopologyMachines.of(
          TopologyReader.read(text(topology), topology.toString()), kind, catalogue);
    }
    return live(catalogue);
  }

  private static Machine live(Catalogue catalogue) {
    return switch (Nvml.find()) {
      case Presence.Absent<Nvml>(String reason, _) ->
          throw new DuokaException(
              ErrorCode.DEVICE, "this machine's GPUs cannot be asked: " + reason, NAME_ONE);
      case Presence.Present<Nvml>(Nvml nvml) -> {
        Set<String> names = new LinkedHashSet<>();
        int count = 0;
        for (NvmlDevice device : nvml.devices()) {
          names.add(device.name());
          count++;
        }
        if (names.size() != 1) {
          throw new DuokaException(
              ErrorCode.DEVICE,
              count == 0
                  ? "this machine has no GPU"
                  : "this machine has different cards: " + String.join(", ", names),
              NAME_ONE);
        }
        String only = names.iterator().next();
        Card card =
            catalogue
                .cardOfDevice(only)
                .orElseThrow(
                    () ->
                        new DuokaException(
                            ErrorCode.CONFIG,
                            "the catalogue has no card '" + only + "'",
                            "Add it to a file and give that with --catalogue."));
        yield catalogue.machine(card, count);
      }
    };
  }

  private static String text(Path file) {
    try {
      // Damaged bytes become replacement characters, which the reader names as damage.
      return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": there is no such file", "Check the path.", e);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": " + e.getMessage(), "Check that it is a file.", e);
    }
  }
}
