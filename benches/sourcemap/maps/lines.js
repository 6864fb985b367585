export * from "./bundle.js";
export * as babel from "@babel/standalone";
export * as typescript from "typescript";
