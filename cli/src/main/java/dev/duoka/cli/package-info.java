/**
 * The program's entry: {@code Main} assembles the commands, {@code ErrorReport} says what went
 * wrong and chooses the exit status. The commands are in {@code dev.duoka.cli.command}.
 */
package dev.duoka.cli;
