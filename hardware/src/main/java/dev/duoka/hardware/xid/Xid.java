package dev.duoka.hardware.xid;

import java.util.List;
import java.util.Optional;

/**
 * An error number of NVIDIA's driver, as it writes it to the kernel log.
 *
 * @param number for example 79
 * @param name what NVIDIA calls it
 * @param action the first step by NVIDIA's catalog, its own word: {@code RESET_GPU}
 * @param gravity how much it concerns the card
 * @param why what happened and what follows from it
 * @param fix the first step as a sentence; {@value #INDEX} stands for the number of the GPU,
 *     {@value #BUS} for its place on the bus
 */
public record Xid(int number, String name, String action, Gravity gravity, String why, String fix) {
  /** Stands in {@link #fix} for the number of the GPU. */
  public static final String INDEX = "<index>";

  /** Stands in {@link #fix} for the GPU's place on the bus. */
  public static final String BUS = "{pci|BUS}";

  /** How much a number concerns the card. */
  public enum Gravity {
    /** The card or its links are in doubt. */
    ERROR,
    /** A program probably caused it, or it may get worse. */
    WARNING,
    /** A trace of something else. */
    NOTE
  }

  /** All numbers that mean something, ascending. */
  public static List<Xid> all() {
    return XidFile.ALL;
  }

  /** What a number means; empty where NVIDIA's catalog does not use it. */
  public static Optional<Xid> of(int number) {
    return Optional.ofNullable(XidFile.BY_NUMBER.get(number));
  }

  /** Where names and actions are from. */
  public static String source() {
    return XidFile.SOURCE;
  }
}
