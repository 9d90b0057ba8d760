/** Packs the program with a Java runtime into one archive; read {@code Bundle} first. */
package dev.duoka.cli.bundle;
