import { describeContract } from './contract.ts';
import { commandAgent } from './contract-agents.ts';

describeContract(commandAgent);
