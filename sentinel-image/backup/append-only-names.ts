// Redis' own names since 7.0 (aof.c): what a server with `appendonly yes` reads at its start.

/** Below the data directory. */
export const appendOnlyDirectory = "appendonlydir";
/** What all data begin with, an RDB file. */
export const baseFile = "appendonly.aof.1.base.rdb";
/** Which files belong to it: without this one the directory is no append-only file. */
export const appendOnlyList = "appendonly.aof.manifest";
/** The list of a base alone. */
export const listOfBase = `file ${baseFile} seq 1 type b\n`;
