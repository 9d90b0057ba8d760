/** The commands, one class each; {@code RootCommand} lists them. */
package dev.duoka.cli.command;
