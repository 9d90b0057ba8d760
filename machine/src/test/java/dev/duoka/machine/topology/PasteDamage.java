package dev.duoka.machine.topology;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;

/** What happens to a matrix on its way through terminals, editors and web forms. */
final class PasteDamage {
  private PasteDamage() {}

  /** Ways that lose nothing. */
  static final List<String> HARMLESS =
      List.of(
          "tabs",
          "columns",
          "blanks",
          "two blanks",
          "crlf",
          "ansi",
          "quoted",
          "indented",
          "fenced",
          "table",
          "one line",
          "double spaced",
          "json",
          "log prefix",
          "header shifted",
          "mpirun",
          "commented",
          "stripped",
          "prompt",
          "twice",
          "peer access",
          "html",
          "bare colours",
          "python list",
          "wrapped at words");

  /** Ways that lose something. */
  static final List<String> HARMFUL =
      List.of(
          "cut right",
          "cut below",
          "row lost",
          "rows lost",
          "cell lost",
          "cell doubled",
          "garbled",
          "wrong cell",
          "fused cells",
          "header lost",
          "label lost",
          "header name lost",
          "wrapped",
          "all fused",
          "cut above",
          "cells swapped");

  static String harmless(String way, MadeUpMachine machine, Random random) {
    String matrix = machine.text();
    String all = matrix + machine.legend();
    return switch (way) {
      case "columns" -> columns(matrix, machine) + machine.legend();
      case "blanks" -> all.replaceAll("[ \t]+", " ");
      case "two blanks" -> all.replaceAll("[ \t]+", "  ");
      case "crlf" -> all.replace("\n", "\r\n");
      case "ansi" -> all.replaceFirst("\t(.*)\n", "\t\u001b[4m$1\u001b[0m\n");
      case "quoted" -> "> " + all.replace("\n", "\n> ");
      case "indented" -> "    " + all.replace("\n", "\n    ");
      case "fenced" -> "```\n" + all + "```\nany ideas why GPU0 is so slow over SYS?\n";
      case "table" ->
          matrix
                  .lines()
                  .map(l -> "|" + l.replace("\t", " | ") + "|")
                  .collect(Collectors.joining("\n"))
              + machine.legend();
      case "one line" ->
          "GPU Topology: "
              + columns(matrix, machine).replaceAll("\\s+", " ")
              + machine.legend().replaceAll("\\s+", " ");
      case "double spaced" -> all.replace("\n", "\n\n");
      case "json" -> "{\"topo\": \"" + all.replace("\t", "\\t").replace("\n", "\\n") + "\"}";
      case "log prefix" ->
          "12:01:07 node3 check[311]: " + all.replace("\n", "\n12:01:07 node3 check[311]: ");
      case "header shifted" -> all.substring(1);
      case "mpirun" -> "[1,0]<stdout>:" + all.replace("\n", "\n[1,0]<stdout>:");
      case "commented" -> "#" + all.replace("\n", "\n# ");
      case "stripped" -> all.lines().map(String::strip).collect(Collectors.joining("\n"));
      case "prompt" ->
          "[me@box ~]$ nvidia-smi topo -m\n"
              + all
              + "[me@box ~]$ nvidia-smi -L\n[me@box ~]$ exit\n";
      case "twice" -> all + "\nand again\n\n" + all;
      case "peer access" -> all + peerAccess(machine);
      case "html" -> "<pre>" + all.replace("\n", "<br>") + "</pre>";
      case "bare colours" -> all.replaceFirst("\t(.*)\n", "\t[4m$1[0m\n");
      case "python list" ->
          all.lines().map(l -> "    '" + l + "\\n',").collect(Collectors.joining("\n"));
      case "wrapped at words" ->
          wrapAtWords(columns(matrix, machine), 40 + random.nextInt(80)) + machine.legend();
      default -> all;
    };
  }

  static String harmful(String way, MadeUpMachine machine, Random random) {
    boolean tabs = random.nextBoolean();
    String matrix = tabs ? machine.text() : columns(machine.text(), machine);
    List<String> lines = new ArrayList<>(matrix.lines().toList());
    int row = 1 + random.nextInt(lines.size() - 1);
    String damaged = String.join("\n", lines) + "\n";
    switch (way) {
      case "cut right" -> {
        int at = 6 + random.nextInt(70);
        lines.replaceAll(l -> l.length() > at ? l.substring(0, at) : l);
        damaged = String.join("\n", lines) + "\n";
      }
      case "cut below" -> {
        return damaged.substring(
            0,
            lines.getFirst().length()
                + random.nextInt(damaged.length() - lines.getFirst().length()));
      }
      case "cut above" -> {
        return damaged.substring(random.nextInt(damaged.length() - 2)) + machine.legend();
      }
      case "row lost" -> {
        lines.remove(row);
        damaged = String.join("\n", lines) + "\n";
      }
      case "rows lost" -> {
        while (lines.size() > 2 && random.nextInt(3) > 0) {
          lines.remove(1 + random.nextInt(lines.size() - 1));
        }
        damaged = String.join("\n", lines) + "\n";
      }
      case "wrapped" -> damaged = wrap(damaged, 30 + random.nextInt(80));
      case "header lost" -> {
        lines.removeFirst();
        damaged = String.join("\n", lines) + "\n";
      }
      case "all fused" -> damaged = damaged.replaceAll("[ \t]", "");
      case "header name lost" -> {
        String name = machine.names.get(random.nextInt(machine.names.size()));
        lines.set(0, lines.getFirst().replaceFirst(name + "(?![0-9])", " "));
        damaged = String.join("\n", lines) + "\n";
      }
      default -> {
        lines.set(row, damageRow(way, lines.get(row), machine, random));
        damaged = String.join("\n", lines) + "\n";
      }
    }
    return damaged + machine.legend();
  }

  private static String damageRow(String way, String line, MadeUpMachine machine, Random random) {
    List<String> words = new ArrayList<>(List.of(line.strip().split("\\s+")));
    int cell = 1 + random.nextInt(machine.names.size());
    int other = 1 + random.nextInt(machine.names.size());
    switch (way) {
      case "cell lost" -> words.remove(cell);
      case "cell doubled" -> words.add(cell, words.get(cell));
      case "garbled" ->
          words.set(cell, List.of("N0DE", "PlX", "5YS", "??", "NV", "-").get(random.nextInt(6)));
      case "wrong cell" ->
          words.set(cell, List.of("NODE", "PIX", "SYS", "NV3").get(random.nextInt(4)));
      case "fused cells" -> words.set(cell - 1, words.get(cell - 1) + words.remove(cell));
      case "label lost" -> words.set(0, "    ");
      case "cells swapped" -> words.set(cell, words.set(other, words.get(cell)));
      default -> throw new IllegalArgumentException(way);
    }
    return String.join("\t", words);
  }

  private static String columns(String matrix, MadeUpMachine machine) {
    StringBuilder out = new StringBuilder();
    for (String line : matrix.lines().toList()) {
      String[] fields = line.split("\t", -1);
      int wide = machine.names.size();
      for (int i = 0; i < fields.length; i++) {
        if (i == wide + 3 && fields[i].isEmpty()) {
          continue; // the second tab before the GPU's NUMA id
        }
        out.append(
            pad(fields[i], i == wide + 1 ? 24 : i > wide ? 16 : 8 + (i > machine.gpus ? 4 : 0)));
      }
      out.append('\n');
    }
    return out.toString();
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(1, width - text.length()));
  }

  private static String wrap(String text, int width) {
    return text.lines()
        .map(l -> l.replaceAll("(.{" + width + "})(?=.)", "$1\n"))
        .collect(Collectors.joining("\n", "", "\n"));
  }

  private static String wrapAtWords(String text, int width) {
    StringBuilder out = new StringBuilder();
    for (String line : text.lines().toList()) {
      int used = 0;
      for (String word : line.strip().split(" +(?!Affinity|NUMA ID|ID)")) {
        if (used > 0 && used + word.length() > width) {
          out.append('\n');
          used = 0;
        }
        out.append(word).append("   ");
        used += word.length() + 3;
      }
      out.append('\n');
    }
    return out.toString();
  }

  private static String peerAccess(MadeUpMachine machine) {
    StringBuilder out = new StringBuilder("$ nvidia-smi topo -p2p r\n ");
    for (int i = 0; i < machine.gpus; i++) {
      out.append("\tGPU").append(i);
    }
    for (int i = 0; i < machine.gpus; i++) {
      out.append("\n GPU").append(i);
      for (int j = 0; j < machine.gpus; j++) {
        out.append('\t').append(i == j ? "X" : "GNS");
      }
    }
    return out + "\n\nLegend:\n\n  X    = Self\n  OK   = Status Ok\n  GNS  = GPU not supported\n";
  }
}
