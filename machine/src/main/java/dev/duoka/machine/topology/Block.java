package dev.duoka.machine.topology;

import java.util.ArrayList;
import java.util.List;

/**
 * A rectangle of text.
 *
 * @param width columns; every line has as many
 * @param lines its lines
 */
public record Block(int width, List<String> lines) {
  /** Copies the lines. */
  public Block {
    lines = List.copyOf(lines);
  }

  /** A line. */
  public static Block of(String text) {
    return new Block(text.length(), List.of(text));
  }

  /** A box with a title in its upper edge around a block. */
  public static Block box(String title, Block inside) {
    int width = Math.max(inside.width(), title.length() + 2);
    List<String> lines = new ArrayList<>();
    String edge = title.isEmpty() ? "" : " " + title + " ";
    lines.add("┌─" + edge + "─".repeat(width + 1 - edge.length()) + "┐");
    for (String line : inside.lines()) {
      lines.add("│ " + line + " ".repeat(width - inside.width()) + " │");
    }
    lines.add("└" + "─".repeat(width + 2) + "┘");
    return new Block(width + 4, lines);
  }

  /** Blocks side by side, broken into rows of at most a width. */
  public static Block flow(List<Block> blocks, int width) {
    List<Block> rows = new ArrayList<>();
    List<Block> row = new ArrayList<>();
    int used = 0;
    for (Block block : blocks) {
      if (!row.isEmpty() && used + 2 + block.width() > width) {
        rows.add(beside(row));
        row.clear();
        used = 0;
      }
      used += (row.isEmpty() ? 0 : 2) + block.width();
      row.add(block);
    }
    if (!row.isEmpty()) {
      rows.add(beside(row));
    }
    return below(rows);
  }

  private static Block beside(List<Block> blocks) {
    int height = blocks.stream().mapToInt(block -> block.lines().size()).max().orElse(0);
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < height; i++) {
      StringBuilder line = new StringBuilder();
      for (Block block : blocks) {
        line.append(line.isEmpty() ? "" : "  ");
        boolean flat = block.lines().size() == 1;
        int at = flat ? i - (height - 1) / 2 : i;
        line.append(
            at >= 0 && at < block.lines().size()
                ? block.lines().get(at)
                : " ".repeat(block.width()));
      }
      lines.add(line.toString());
    }
    return new Block(lines.isEmpty() ? 0 : lines.getFirst().length(), lines);
  }

  /** Blocks one below the other, the narrower ones filled up on the right. */
  public static Block below(List<Block> blocks) {
    int width = blocks.stream().mapToInt(Block::width).max().orElse(0);
    List<String> lines = new ArrayList<>();
    for (Block block : blocks) {
      block.lines().forEach(line -> lines.add(line + " ".repeat(width - line.length())));
    }
    return new Block(width, lines);
  }
}
