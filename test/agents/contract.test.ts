import { describeContract } from './contract.ts';
import { codexStandIn, commandAgent } from './contract-agents.ts';

for (const agent of [commandAgent, codexStandIn]) describeContract(agent);
