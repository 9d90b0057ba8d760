package dev.duoka.machine.topology;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** A pasted matrix as it stands there. */
final class RawMatrix {
  /** The columns after the devices. */
  enum Title {
    CPU_AFFINITY,
    NUMA_AFFINITY,
    GPU_NUMA_ID
  }

  private static final Pattern TITLE = Pattern.compile("CPU|GPU ?NUMA|NUMA");

  private final int line;
  private final boolean header;
  private final List<String> names = new ArrayList<>();
  private final List<Token> titleTokens = new ArrayList<>();
  private final List<RawRow> rows = new ArrayList<>();
  private final Map<String, String> legend = new LinkedHashMap<>();
  private final List<String> legendConflicts = new ArrayList<>();
  private boolean pcieOnly;

  /** The text of the header's first line, where it is one line. */
  private String headerText = "";

  private final List<Token> headerTokens = new ArrayList<>();

  /**
   * @param line where it begins, from 0
   * @param header whether it has the line with the devices' names
   */
  RawMatrix(int line, boolean header) {
    this.line = line;
    this.header = header;
  }

  int line() {
    return line;
  }

  boolean header() {
    return header;
  }

  /** The devices that the header names, in its order, without repetitions. */
  List<String> names() {
    return names;
  }

  boolean name(Token device) {
    headerTokens.add(device);
    return !names.contains(device.text()) && names.add(device.text());
  }

  List<Token> headerTokens() {
    return headerTokens;
  }

  void title(Token token) {
    titleTokens.add(token);
  }

  List<Token> titleTokens() {
    return titleTokens;
  }

  void headerText(String text) {
    headerText = text;
  }

  String headerText() {
    return headerText;
  }

  List<RawRow> rows() {
    return rows;
  }

  Map<String, String> legend() {
    return legend;
  }

  List<String> legendConflicts() {
    return legendConflicts;
  }

  void legend(String nic, String device) {
    String before = legend.putIfAbsent(nic, device);
    if (before != null && !before.equals(device)) {
      legendConflicts.add(nic);
    }
  }

  /** Whether the command before it was {@code topo -mp}, which shows PCIe paths alone. */
  boolean pcieOnly() {
    return pcieOnly;
  }

  void pcieOnly(boolean value) {
    pcieOnly = value;
  }

  /** The columns after the devices, as far as the header shows them. */
  List<Title> titles() {
    List<Title> titles = new ArrayList<>();
    String text = titleTokens.stream().map(Token::text).collect(Collectors.joining(" "));
    Matcher matcher = TITLE.matcher(text);
    while (matcher.find()) {
      titles.add(
          switch (matcher.group().charAt(0)) {
            case 'C' -> Title.CPU_AFFINITY;
            case 'G' -> Title.GPU_NUMA_ID;
            default -> Title.NUMA_AFFINITY;
          });
    }
    return titles;
  }

  /** Whether the header's last word is one that no header ends with, so the line was cut. */
  boolean headerCut() {
    if (!header) {
      return false;
    }
    if (titleTokens.isEmpty()) {
      return false; // drivers before 2016 have no title, or it is cut; the rows tell
    }
    String last = titleTokens.getLast().text();
    return !last.endsWith("Affinity") && !last.endsWith("ID") && !last.equals("NUMA");
  }
}
